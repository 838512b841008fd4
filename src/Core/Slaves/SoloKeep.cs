using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>
/// Says whether a slave is kept for one suspect, and since when. The slave of a suspect has no other jobs, or only jobs that were on it
/// before and do not end.
/// </summary>
/// <param name="scope">The parts of the engine that slaves use.</param>
/// <param name="onMoved">Called when the stage has changed.</param>
internal sealed class SoloKeep(EngineScope scope, Action onMoved)
{
    public SoloStage Stage { get; private set; }

    /// <summary>The suspect, until the worker has closed its channel. Valid in Running; null otherwise.</summary>
    public Job? Suspect { get; private set; }

    /// <summary>Begin of the stage, ms. Valid in Clearing and Running.</summary>
    public long SinceMs { get; private set; }

    /// <summary>The last time at which the slave was cleared for a suspect, ms; 0 when it never was.</summary>
    public long ClearedMs { get; private set; }

    /// <summary>The stage has lasted for as long as it may while others wait. Valid in Clearing and Running.</summary>
    public bool IsOver => scope.Loop.NowMs - SinceMs >= EngineLimits.MaxAloneMs;

    /// <summary>The slave gets no more jobs until it is empty.</summary>
    public void Clear()
    {
        ClearedMs = scope.Loop.NowMs;
        MoveTo(SoloStage.Clearing);
    }

    /// <summary>The slave is given a suspect now.</summary>
    public void Run(Job suspect)
    {
        Suspect = suspect;
        MoveTo(SoloStage.Running);
    }

    /// <summary>The slave takes any job from now on.</summary>
    public void Release()
    {
        Suspect = null;
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
