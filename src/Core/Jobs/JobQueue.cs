namespace Cocaine.Fast.Core.Jobs;

/// <summary>
/// Jobs that wait, urgent ones first, each kind in the order of its arrival. Linked through the jobs themselves: no allocation, and a
/// job leaves from
/// the middle in constant time.
/// </summary>
internal sealed class JobQueue
{
    private readonly Lane _urgent = new();
    private readonly Lane _usual = new();

    public int Count => _urgent.Count + _usual.Count;

    /// <summary>The job that has waited longest, or null.</summary>
    public Job? Oldest
    {
        get
        {
            Job? urgent = _urgent.First, usual = _usual.First;
            return urgent is null ? usual : usual is null || urgent.ArrivedTicks < usual.ArrivedTicks ? urgent : usual;
        }
    }

    public void Add(Job job) => LaneOf(job).AddLast(job);

    /// <summary>Puts a job that is to be run again before all others of its kind.</summary>
    public void AddFront(Job job) => LaneOf(job).AddFirst(job);

    /// <summary>The next job to run, taken out; null when none waits.</summary>
    public Job? Take()
    {
        Job? job = _urgent.First ?? _usual.First;
        if (job is not null)
        {
            Remove(job);
        }

        return job;
    }

    public void Remove(Job job) => LaneOf(job).Remove(job);

    private Lane LaneOf(Job job) => job.Policy.Urgent ? _urgent : _usual;

    private sealed class Lane
    {
        private Job? _last;

        public Job? First { get; private set; }

        public int Count { get; private set; }

        public void AddLast(Job job)
        {
            job.Previous = _last;
            job.Next = null;
            if (_last is null)
            {
                First = job;
            }
            else
            {
                _last.Next = job;
            }

            _last = job;
            Count++;
        }

        public void AddFirst(Job job)
        {
            job.Previous = null;
            job.Next = First;
            if (First is null)
            {
                _last = job;
            }
            else
            {
                First.Previous = job;
            }

            First = job;
            Count++;
        }

        public void Remove(Job job)
        {
            if (job.Previous is null)
            {
                First = job.Next;
            }
            else
            {
                job.Previous.Next = job.Next;
            }

            if (job.Next is null)
            {
                _last = job.Previous;
            }
            else
            {
                job.Next.Previous = job.Previous;
            }

            job.Next = job.Previous = null;
            Count--;
        }
    }
}
