namespace Cocaine.Fast.Core.Jobs;

/// <summary>
/// Jobs in a row, linked through themselves: the list allocates nothing, and a job can leave from the middle in constant time.
/// </summary>
internal sealed class JobList
{
    public Job? First { get; private set; }

    public Job? Last { get; private set; }

    public void AddLast(Job job)
    {
        job.Previous = Last;
        job.Next = null;
        if (Last is null)
        {
            First = job;
        }
        else
        {
            Last.Next = job;
        }

        Last = job;
    }

    public void AddFirst(Job job)
    {
        job.Previous = null;
        job.Next = First;
        if (First is null)
        {
            Last = job;
        }
        else
        {
            First.Previous = job;
        }

        First = job;
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
            Last = job.Previous;
        }
        else
        {
            job.Next.Previous = job.Previous;
        }

        job.Next = job.Previous = null;
    }
}
