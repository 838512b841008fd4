using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Jobs;

/// <summary>
/// The engines of the same version on the app's other loops, as an engine sees them. They take jobs that wait for too long when their
/// slaves have nothing to do. All calls come on the engine's loop.
/// </summary>
internal interface ISiblings
{
    /// <summary>This engine is the first one: it has the app's first slave, and keeps trying when starts fail.</summary>
    bool IsHome { get; }

    /// <summary>A sibling has slaves that have nothing to do.</summary>
    bool HaveRoom { get; }

    /// <summary>This engine has the turn to launch a slave while starts fail.</summary>
    bool HasTurn { get; }

    /// <summary>
    /// Takes the turn to launch a slave while starts fail, or has it already. All siblings have one turn between them; when it is over,
    /// they hear of it.
    /// </summary>
    bool TryTakeTurn();

    /// <summary>Tells the siblings how starts go, and gives the turn back.</summary>
    /// <param name="failures">Tries of the app in a row that failed; 0 when starts are good again.</param>
    /// <param name="hadJobs">The slave of the last one had jobs.</param>
    /// <param name="cause">Why the last one failed.</param>
    void TellStarts(int failures, bool hadJobs, string cause);

    /// <summary>Jobs of the siblings that this engine has taken and that wait here: they count as running at home.</summary>
    int WaitingGuests { get; }

    /// <summary>Jobs of the siblings that are on slaves of this engine.</summary>
    int RunningGuests { get; }

    /// <summary>A job waits. When it waits for too long, a sibling may take it.</summary>
    void OnWaits();

    /// <summary>The queue is full: jobs that wait go to siblings with room at once.</summary>
    void MakeRoom();

    /// <summary>The room for jobs has changed.</summary>
    /// <param name="slaves">Slaves that have nothing to do, when no job waits.</param>
    /// <param name="places">Slaves that could be launched.</param>
    void OnRoom(int slaves, int places);

    /// <summary>Every job that is away fails.</summary>
    void FailAll(int code, string reason, ErrorCause cause);
}
