using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Drivers.Base;

namespace Cocaine.Fast.Node.Shards;

/// <summary>The state of a task's driver at one moment.</summary>
/// <param name="Name">The task.</param>
/// <param name="Type">The driver's name in manifests.</param>
/// <param name="Endpoints">The endpoints that the driver listens on.</param>
/// <param name="Facts">The driver's own facts.</param>
/// <param name="Counts">The counts of the task.</param>
/// <param name="Connections">Connected clients; null for a driver without clients.</param>
/// <param name="HasTicks">The driver makes its jobs of ticks.</param>
internal sealed record TaskView(
    string Name, string Type, IReadOnlyList<string> Endpoints, IReadOnlyDictionary<string, object> Facts, TaskCounts Counts,
    int? Connections, bool HasTicks)
{
    private static readonly Dictionary<string, object> NoFacts = [];

    /// <summary>The times of jobs from their arrival to their dispatch.</summary>
    public LatencyHistogram InQueue => Counts.TimeInQueue;

    /// <summary>The times of jobs from their dispatch to their end.</summary>
    public LatencyHistogram OnSlave => Counts.TimeOnSlave;

    /// <summary>Copies the state; on the driver's loop.</summary>
    /// <param name="task">The task.</param>
    /// <param name="driver">Its driver.</param>
    /// <param name="singleton">The right to make its jobs; null when each node makes them.</param>
    /// <param name="isLight">Without endpoints and the driver's own facts, and with the counts themselves, which go on.</param>
    public static TaskView Of(TaskManifest task, Driver driver, ISingleton? singleton, bool isLight)
    {
        TaskCounts counts = driver.Monitor.Counts;
        return new TaskView(
            task.Name, task.DriverType, isLight ? [] : driver.Endpoints, isLight ? NoFacts : FactsOf(driver, singleton),
            isLight ? counts : counts.Copy(), driver.ConnectionCount, driver.HasTicks);
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

        TaskCounts counts = home.Counts.Copy();
        Dictionary<string, object> facts = new(home.Facts);
        foreach (TaskView one in all.Skip(1))
        {
            counts.Add(one.Counts);
        }

        foreach ((string name, object value) in all.Skip(1).SelectMany(one => one.Facts))
        {
            if (value is int or long && facts.GetValueOrDefault(name) is int or long)
            {
                facts[name] = Convert.ToInt64(facts[name], null) + Convert.ToInt64(value, null);
            }
        }

        int? connections = home.Connections is null ? null : all.Sum(one => one.Connections);
        return home with { Facts = facts, Counts = counts, Connections = connections };
    }
}
