namespace Cocaine.Fast.Core.Jobs;

/// <summary>Suspects that wait for a slave of their own: urgent ones first, and then in the order in which they became suspects.</summary>
internal sealed class SuspectLane
{
    private readonly JobList _urgent = new();
    private readonly JobList _usual = new();

    public int Count { get; private set; }

    /// <summary>Request bytes of the suspects.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>The next suspect to run; null when none waits.</summary>
    public Job? First => _urgent.First ?? _usual.First;

    /// <summary>
    /// One more suspect may wait. Without this bound, slaves that die faster than suspects run would fill the memory: the queue-limit does
    /// not count suspects, since their callers were promised an answer before.
    /// </summary>
    public bool HasRoomFor(Job job) =>
        Count < EngineLimits.MaxSuspects && SizeBytes + job.Request.SizeBytes <= EngineLimits.MaxSuspectBytes;

    public void Add(Job job)
    {
        ListOf(job).AddLast(job);
        Count++;
        SizeBytes += job.Request.SizeBytes;
    }

    /// <summary>Puts a job that was not begun before the others of its kind.</summary>
    public void AddFirst(Job job)
    {
        ListOf(job).AddFirst(job);
        Count++;
        SizeBytes += job.Request.SizeBytes;
    }

    /// <summary>Takes a suspect out; its request must not have been cleared yet.</summary>
    public void Remove(Job job)
    {
        ListOf(job).Remove(job);
        Count--;
        SizeBytes -= job.Request.SizeBytes;
    }

    /// <summary>The request of a suspect has grown.</summary>
    public void CountGrowth(int bytes) => SizeBytes += bytes;

    private JobList ListOf(Job job) => job.Policy.Urgent ? _urgent : _usual;
}
