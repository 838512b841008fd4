using System.Text;
using Cocaine.Fast.Core.Terminal;

namespace Cocaine.Fast.Core.Jobs;

/// <summary>The names of jobs in logs: their numbers and events. The name of an event may come from the caller.</summary>
internal static class JobNames
{
    /// <summary>The most jobs that a line names; of the other jobs the line has the number.</summary>
    private const int MaxNamed = 5;

    /// <summary>Characters of an event in a line.</summary>
    private const int MaxEventLength = 64;

    /// <summary>One job: <c>4711 (resize)</c>.</summary>
    public static string Of(Job job) => $"{job.Id} ({EventOf(job)})";

    /// <summary>Some jobs, the oldest first: <c>4711 (resize), 4712 (resize) and 39 more</c>.</summary>
    public static string Of(IReadOnlyList<Job> jobs)
    {
        string named = string.Join(", ", jobs.Take(MaxNamed).Select(Of));
        return jobs.Count > MaxNamed ? $"{named} and {jobs.Count - MaxNamed} more" : named;
    }

    /// <summary>The end of a log line about a slave's end: <c>; jobs on it: …</c>, or nothing when the slave had none.</summary>
    public static string Suffix(IReadOnlyList<Job> jobs) => jobs.Count == 0 ? "" : $"; jobs on it: {Of(jobs)}";

    /// <summary>The event, for people.</summary>
    public static string EventOf(Job job)
    {
        string name = Encoding.UTF8.GetString(job.Event);
        return PlainText.OneLine(name.Length > MaxEventLength ? name[..MaxEventLength] + "…" : name);
    }
}
