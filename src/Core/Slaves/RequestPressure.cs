using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>The callers whose requests come faster than their slave takes them: they wait until it has made room.</summary>
internal sealed class RequestPressure
{
    private List<Job> _pressed = []; // jobs whose callers wait for room
    private List<Job> _eased = [];   // empty but while those are told that there is some

    /// <summary>The job's caller is asked to wait until <see cref="Ease"/>.</summary>
    public void Press(Job job)
    {
        job.UnderPressure = true;
        _pressed.Add(job);
        job.Caller?.OnRequestPressure(job, true);
    }

    /// <summary>The slave made room after its backlog was over the bound.</summary>
    public void Ease()
    {
        if (_pressed.Count == 0)
        {
            return;
        }

        // The other list from here on: a caller that reads on at once may bring this very slave under pressure again.
        (_pressed, _eased) = (_eased, _pressed);
        foreach (Job job in _eased)
        {
            if (job.UnderPressure) // else it ended while others were told
            {
                job.UnderPressure = false;
                job.Caller?.OnRequestPressure(job, false);
            }
        }

        _eased.Clear();
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
