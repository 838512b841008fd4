namespace Cocaine.Fast.Core.Monitoring;

/// <summary>The figures of an app at one moment, summed over its loops.</summary>
/// <param name="QueueDepth">Jobs that wait.</param>
/// <param name="OldestAgeMs">The age of the job that has waited longest; 0 when none waits.</param>
/// <param name="SlavesBusy">Slaves with jobs.</param>
/// <param name="SlavesTotal">Slaves that are alive.</param>
/// <param name="JobsDone">Jobs done since the app was created.</param>
/// <param name="JobsFailed">Jobs failed since the app was created.</param>
/// <param name="Tasks">The times of each task's jobs.</param>
internal sealed record EngineSums(
    int QueueDepth, double OldestAgeMs, int SlavesBusy, int SlavesTotal, long JobsDone, long JobsFailed, IReadOnlyList<TaskTimes> Tasks);

/// <summary>The times of a task's jobs.</summary>
/// <param name="Task">The task.</param>
/// <param name="InQueue">From the arrival to the dispatch.</param>
/// <param name="OnSlave">From the dispatch to the end.</param>
internal sealed record TaskTimes(string Task, LatencySnapshot InQueue, LatencySnapshot OnSlave);
