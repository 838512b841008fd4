using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>
/// Callers that send their requests faster than the slave takes them. These callers wait until the slave has made room. And requests of
/// which the node has kept some: they go on in portions.
/// </summary>
internal sealed class RequestPressure
{
    private readonly Queue<Job> _portions = new(); // jobs whose requests go on, each once; those that left it are passed over
    private List<Job> _pressed = []; // jobs whose callers wait for room
    private List<Job> _eased = [];   // filled only while these jobs are told that there is room

    /// <summary>Asks the job's caller to wait until it is eased.</summary>
    public void Press(Job job)
    {
        job.UnderPressure = true;
        _pressed.Add(job);
        job.Caller?.OnRequestPressure(job, true);
    }

    /// <summary>The slave has made room after its backlog was over the bound.</summary>
    public void Ease()
    {
        if (_pressed.Count == 0)
        {
            return;
        }

        // New pressure goes to the other list from here on: a caller that reads on at once may bring this slave under pressure again.
        (_pressed, _eased) = (_eased, _pressed);
        foreach (Job job in _eased)
        {
            if (job is { UnderPressure: true, RequestHeld: true })
            {
                _pressed.Add(job); // the slave has room, but the handler has not read
            }
            else if (job.UnderPressure) // false when the job has ended while others were told
            {
                job.UnderPressure = false;
                job.Caller?.OnRequestPressure(job, false);
            }
        }

        _eased.Clear();
    }

    /// <summary>The job's next portion goes when the slave has read what it was sent until now.</summary>
    public void Await(Job job, SlaveLink link)
    {
        if (!_portions.Contains(job))
        {
            _portions.Enqueue(job);
        }

        link.AskForRead();
    }

    /// <summary>The slave has read all that it had been sent when the link was asked to tell.</summary>
    /// <param name="slave">The slave.</param>
    /// <param name="link">The way to it.</param>
    public void OnRead(IJobRunner slave, SlaveLink link)
    {
        // The jobs that find no room now have their turn first when the slave has read again.
        for (int left = _portions.Count; left > 0 && link.BacklogBytes <= EngineLimits.HighBacklogBytes; left--)
        {
            Job job = _portions.Dequeue();
            if (job.Runner == slave && job.RequestWay == RequestWay.Portions)
            {
                job.Engine.OnRequestRead(job);
            }
        }

        if (_portions.Count > 0)
        {
            link.AskForRead();
        }
    }

    /// <summary>The job's handler has read its request, and the slave has room for the rest.</summary>
    public void Ease(Job job)
    {
        if (job.UnderPressure)
        {
            Forget(job);
            job.Caller?.OnRequestPressure(job, false);
        }
    }

    /// <summary>The job leaves the slave.</summary>
    public void Forget(Job job)
    {
        if (job.UnderPressure)
        {
            job.UnderPressure = false;
            _pressed.Remove(job);
        }
    }
}
