namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>One thing that every worker does.</summary>
/// <param name="Name">Its name in the table.</param>
/// <param name="Section">Where docs/worker-protocol.md asks for it.</param>
/// <param name="Run">Tries it; throws a <see cref="CheckFailure"/> when it is not so.</param>
internal sealed record CheckCase(string Name, string Section, Action<Conversation> Run)
{
    /// <summary>It ends its worker, so it has one of its own.</summary>
    public bool EndsWorker { get; init; }

    /// <summary>It needs a worker that asked for the pipe, and refuses the pipe to it.</summary>
    public bool RefusesPipe { get; init; }
}
