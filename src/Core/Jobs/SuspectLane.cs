using System.Runtime.InteropServices;

namespace Cocaine.Fast.Core.Jobs;

/// <summary>
/// Suspects that wait for a slave of their own, in groups that run together: urgent ones first, and then in the order in which they became
/// suspects.
/// </summary>
internal sealed class SuspectLane
{
    private readonly JobList _urgent = new();
    private readonly JobList _usual = new();
    private readonly Dictionary<int, int> _groups = []; // the jobs of each group that wait

    public int Count { get; private set; }

    /// <summary>Groups of which at least one job waits: each wants a slave.</summary>
    public int Groups => _groups.Count;

    /// <summary>Request bytes of the suspects.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>The next suspect to run; null when none waits.</summary>
    public Job? First => _urgent.First ?? _usual.First;

    /// <summary>The next suspect of a group; null when none of it waits.</summary>
    public Job? FirstOf(int group) =>
        !_groups.ContainsKey(group) ? null : Find(_urgent.First, group) ?? Find(_usual.First, group);

    /// <summary>
    /// One more suspect may wait. Without this bound, slaves that die faster than suspects run would fill the memory: the queue-limit does
    /// not count suspects, since their callers were promised an answer before.
    /// </summary>
    public bool HasRoomFor(Job job) =>
        Count < EngineLimits.MaxSuspects && SizeBytes + job.Request.SizeBytes <= EngineLimits.MaxSuspectBytes;

    public void Add(Job job)
    {
        ListOf(job).AddLast(job);
        OnAdded(job);
    }

    /// <summary>Puts a job that was not begun before the others of its kind.</summary>
    public void AddFirst(Job job)
    {
        ListOf(job).AddFirst(job);
        OnAdded(job);
    }

    /// <summary>Takes a suspect out; its request must not have been cleared yet.</summary>
    public void Remove(Job job)
    {
        ListOf(job).Remove(job);
        Count--;
        SizeBytes -= job.Request.SizeBytes;
        if (--CollectionsMarshal.GetValueRefOrNullRef(_groups, job.SuspectGroup) == 0)
        {
            _groups.Remove(job.SuspectGroup);
        }
    }

    /// <summary>The request of a suspect has grown.</summary>
    public void CountGrowth(int bytes) => SizeBytes += bytes;

    private static Job? Find(Job? job, int group)
    {
        while (job is not null && job.SuspectGroup != group)
        {
            job = job.Next; // the jobs of a group are neighbours, and their group is mostly the first one
        }

        return job;
    }

    private void OnAdded(Job job)
    {
        Count++;
        SizeBytes += job.Request.SizeBytes;
        CollectionsMarshal.GetValueRefOrAddDefault(_groups, job.SuspectGroup, out _)++;
    }

    private JobList ListOf(Job job) => job.Policy.Urgent ? _urgent : _usual;
}
