namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>One duty of every worker.</summary>
/// <param name="Name">The case's name in the table.</param>
/// <param name="Section">The section of docs/worker-protocol.md that asks for it.</param>
/// <param name="Run">Tries the case; throws a <see cref="CheckFailure"/> when the worker fails it.</param>
internal sealed record CheckCase(string Name, string Section, Action<Conversation> Run)
{
    /// <summary>
    /// Nothing in the case takes time, so a worker that is well passes it within this, ms, on any machine that is not busy with something
    /// else. A worker that sleeps with a message in its buffer takes as long as its next heartbeat does to come.
    /// </summary>
    public const int InstantMs = 100;

    /// <summary>The most tries of an instant case. The least time of them counts, because a busy machine makes any one slow.</summary>
    public const int InstantTries = 5;

    /// <summary>The case must be passed within <see cref="InstantMs"/>.</summary>
    public bool IsInstant { get; init; }

    /// <summary>The case ends its worker, so it gets a worker of its own.</summary>
    public bool EndsWorker { get; init; }

    /// <summary>The case needs a worker that asked for the pipe, and refuses the pipe to that worker.</summary>
    public bool RefusesPipe { get; init; }
}
