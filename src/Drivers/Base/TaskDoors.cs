using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>
/// The counts of the connections of an app's tasks, by the task's name. The app's loops share them, so a task's bounds hold for all loops
/// together. Any thread.
/// </summary>
internal sealed class TaskDoors
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ConnectionCounts> _counts = [];

    public ConnectionCounts Of(string task)
    {
        lock (_lock)
        {
            if (!_counts.TryGetValue(task, out ConnectionCounts? counts))
            {
                counts = new ConnectionCounts();
                _counts.Add(task, counts);
            }

            return counts;
        }
    }
}
