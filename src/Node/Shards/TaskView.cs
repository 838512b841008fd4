using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Drivers.Base;

namespace Cocaine.Fast.Node.Shards;

/// <summary>The state of a task's driver at one moment.</summary>
/// <param name="Name">The task.</param>
/// <param name="Type">The driver's name in manifests.</param>
/// <param name="Endpoints">The endpoints that the driver listens on.</param>
/// <param name="Facts">The driver's own facts.</param>
/// <param name="InQueue">The times of jobs from their arrival to their dispatch.</param>
/// <param name="OnSlave">The times of jobs from their dispatch to their end.</param>
/// <param name="FailedInQueue">Jobs that failed while they waited.</param>
/// <param name="FailedOnSlave">Jobs that failed on a slave.</param>
internal sealed record TaskView(
    string Name, string Type, IReadOnlyList<string> Endpoints, IReadOnlyDictionary<string, object> Facts, LatencyHistogram InQueue,
    LatencyHistogram OnSlave, long FailedInQueue, long FailedOnSlave)
{
    private static readonly Dictionary<string, object> NoFacts = [];

    /// <summary>Copies the state; on the driver's loop.</summary>
    /// <param name="task">The task.</param>
    /// <param name="driver">Its driver.</param>
    /// <param name="singleton">The right to make its jobs; null when each node makes them.</param>
    /// <param name="isLight">Without the driver's own facts, and with the histograms themselves, which go on counting.</param>
    public static TaskView Of(TaskManifest task, Driver driver, ISingleton? singleton, bool isLight)
    {
        TaskMonitor monitor = driver.Monitor;
        LatencyHistogram inQueue = monitor.TimeInQueue, onSlave = monitor.TimeOnSlave;
        return new TaskView(
            task.Name, task.DriverType, driver.Endpoints, isLight ? NoFacts : FactsOf(driver, singleton),
            isLight ? inQueue : inQueue.Copy(), isLight ? onSlave : onSlave.Copy(), monitor.FailedInQueue, monitor.FailedOnSlave);
    }

    private static IReadOnlyDictionary<string, object> FactsOf(Driver driver, ISingleton? singleton) => singleton is null ? driver.Facts
        : new Dictionary<string, object>(driver.Facts)
        {
            ["run-on"] = "one",
            ["lease-holder"] = singleton.Holder ?? "none",
            ["lease-term"] = singleton.Term,
        };

    /// <summary>The sums of a task's drivers, the first of which is that of the app's home.</summary>
    public static TaskView Sum(IReadOnlyList<TaskView> all)
    {
        TaskView home = all[0];
        if (all.Count == 1)
        {
            return home;
        }

        LatencyHistogram inQueue = home.InQueue.Copy(), onSlave = home.OnSlave.Copy();
        Dictionary<string, object> facts = new(home.Facts);
        foreach (TaskView one in all.Skip(1))
        {
            inQueue.Merge(one.InQueue);
            onSlave.Merge(one.OnSlave);
        }

        foreach ((string name, object value) in all.Skip(1).SelectMany(one => one.Facts))
        {
            if (value is int or long && facts.GetValueOrDefault(name) is int or long)
            {
                facts[name] = Convert.ToInt64(facts[name], null) + Convert.ToInt64(value, null);
            }
        }

        return home with
        {
            Facts = facts,
            InQueue = inQueue,
            OnSlave = onSlave,
            FailedInQueue = all.Sum(one => one.FailedInQueue),
            FailedOnSlave = all.Sum(one => one.FailedOnSlave),
        };
    }
}
