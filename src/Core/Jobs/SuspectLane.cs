namespace Cocaine.Fast.Core.Jobs;

/// <summary>Suspects that wait for a slave of their own, urgent ones first, else in the order in which they became it.</summary>
internal sealed class SuspectLane
{
    private readonly JobList _urgent = new();
    private readonly JobList _usual = new();

    public int Count { get; private set; }

    /// <summary>Their request bytes.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>The one that is next; null when none waits.</summary>
    public Job? First => _urgent.First ?? _usual.First;

    /// <summary>
    /// One more may wait. Slaves that die faster than suspects are run would else fill the memory: queue-limit counts them not, since their
    /// callers were promised an answer before.
    /// </summary>
    public bool HasRoomFor(Job job) =>
        Count < EngineLimits.MaxSuspects && SizeBytes + job.Request.SizeBytes <= EngineLimits.MaxSuspectBytes;

    public void Add(Job job)
    {
        ListOf(job).AddLast(job);
        Count++;
        SizeBytes += job.Request.SizeBytes;
    }

    /// <summary>Takes a job out; its request must not have been cleared yet.</summary>
    public void Remove(Job job)
    {
        ListOf(job).Remove(job);
        Count--;
        SizeBytes -= job.Request.SizeBytes;
    }

    /// <summary>The request of one of them has grown.</summary>
    public void CountGrowth(int bytes) => SizeBytes += bytes;

    private JobList ListOf(Job job) => job.Policy.Urgent ? _urgent : _usual;
}
