using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Threading;

/// <summary>The event loops of a node, which share the apps.</summary>
/// <param name="wanted">The number of loops; 0 = half of the cores, at least 1.</param>
/// <param name="spinMicroseconds">How long a loop looks for work before it sleeps, µs.</param>
/// <param name="log">The node's log.</param>
internal sealed class NodeLoops(int wanted, int spinMicroseconds, ILogger log) : IDisposable
{
    private readonly Lock _lock = new(); // guards the growth
    private EventLoop[] _loops = [];     // replaced when a loop is added: readers have a whole list
    private int _next;
    private bool _disposed;              // under the lock

    public IReadOnlyList<EventLoop> All => Volatile.Read(ref _loops); // the other half is in Grow

    /// <summary>A loop for parts that belong to no app.</summary>
    public EventLoop First => _loops[0];

    public void Start() => Grow(wanted > 0 ? wanted : Math.Max(1, Environment.ProcessorCount / 2));

    /// <summary>The loop for the next app; loops take turns. Under the node's lock.</summary>
    public EventLoop Next() => _loops[_next++ % _loops.Length];

    /// <summary>
    /// The loops of an app on several loops: its first one and those that follow it. A node with fewer loops starts the others now, and
    /// keeps them.
    /// </summary>
    /// <exception cref="IOException">There are no descriptors for a further loop.</exception>
    public IReadOnlyList<EventLoop> From(EventLoop first, int count)
    {
        Grow(count);
        EventLoop[] loops = Volatile.Read(ref _loops);
        int at = Array.IndexOf(loops, first);
        return [.. Enumerable.Range(0, count).Select(i => loops[(at + i) % loops.Length])];
    }

    /// <summary>Completes when every loop has run it: a loop that is stuck in a handler does not.</summary>
    public Task PingAsync() => Task.WhenAll(Volatile.Read(ref _loops).Select(loop => loop.RunAsync(static () => { })));

    public void Dispose()
    {
        EventLoop[] loops;
        lock (_lock)
        {
            _disposed = true;
            loops = _loops;
        }

        foreach (EventLoop loop in loops)
        {
            loop.Dispose();
        }
    }

    private void Grow(int count)
    {
        lock (_lock)
        {
            while (!_disposed && _loops.Length < count)
            {
                EventLoop loop = new(log, spinMicroseconds);
                try
                {
                    loop.Start($"loop-{_loops.Length}");
                }
                catch
                {
                    loop.Dispose();
                    throw;
                }

                Volatile.Write(ref _loops, [.. _loops, loop]); // the other half is in All
            }
        }
    }
}
