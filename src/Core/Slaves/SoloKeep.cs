using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>
/// Says whether a slave is kept for a group of suspects, and since when. The slave of suspects has no other jobs, or only jobs that were on
/// it before and do not end.
/// </summary>
/// <param name="scope">The parts of the engine that slaves use.</param>
/// <param name="onMoved">Called when the stage has changed.</param>
internal sealed class SoloKeep(EngineScope scope, Action onMoved)
{
    private int _jobs; // of the group on the slave, until the worker has closed their channels; valid in Running

    public SoloStage Stage { get; private set; }

    /// <summary>The suspects' group. Valid in Running; 0 otherwise.</summary>
    public int Group { get; private set; }

    /// <summary>Begin of the stage, ms. Valid in Clearing and Running.</summary>
    public long SinceMs { get; private set; }

    /// <summary>The last time at which the slave was cleared for suspects, ms; 0 when it never was.</summary>
    public long ClearedMs { get; private set; }

    /// <summary>The stage has lasted for as long as it may while others wait. Valid in Clearing and Running.</summary>
    public bool IsOver => scope.Loop.NowMs - SinceMs >= EngineLimits.MaxAloneMs;

    /// <summary>A job of the slave is one of those for which the slave is kept.</summary>
    public bool IsFor(Job job) => Group != 0 && job.SuspectGroup == Group && !job.IsAbandoned;

    /// <summary>The slave gets no more jobs until it is empty.</summary>
    public void Clear()
    {
        ClearedMs = scope.Loop.NowMs;
        MoveTo(SoloStage.Clearing);
    }

    /// <summary>The slave is given a suspect now: the first of its group, or one more of it.</summary>
    public void Run(Job suspect)
    {
        if (Group == suspect.SuspectGroup)
        {
            _jobs++;
            return;
        }

        Group = suspect.SuspectGroup;
        _jobs = 1;
        MoveTo(SoloStage.Running);
    }

    /// <summary>A suspect leaves, or never will. True when it was the last one: the slave takes any job from now on.</summary>
    public bool Leave()
    {
        if (--_jobs > 0)
        {
            return false;
        }

        Release();
        return true;
    }

    /// <summary>The slave takes any job from now on.</summary>
    public void Release()
    {
        Group = _jobs = 0;
        MoveTo(SoloStage.None);
    }

    private void MoveTo(SoloStage next)
    {
        if (!Stage.CanBecome(next))
        {
            throw new InvalidOperationException($"a slave cannot go from {Stage} to {next}");
        }

        Stage = next;
        SinceMs = scope.Loop.NowMs;
        onMoved();
    }
}
