namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>One duty of every worker.</summary>
/// <param name="Name">The case's name in the table.</param>
/// <param name="Section">The section of docs/worker-protocol.md that asks for it.</param>
/// <param name="Run">Tries the case; throws a <see cref="CheckFailure"/> when the worker fails it.</param>
internal sealed record CheckCase(string Name, string Section, Action<Conversation> Run)
{
    /// <summary>The case ends its worker, so it gets a worker of its own.</summary>
    public bool EndsWorker { get; init; }

    /// <summary>The case needs a worker that asked for the pipe, and refuses the pipe to that worker.</summary>
    public bool RefusesPipe { get; init; }
}
