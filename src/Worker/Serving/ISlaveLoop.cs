namespace Cocaine.Fast.Worker.Serving;

/// <summary>What a slave's thread runs: the .NET SDK's loop, or a C++ app's own.</summary>
internal interface ISlaveLoop
{
    /// <summary>Serves until the end.</summary>
    WorkerExit Run();

    /// <summary>Makes <see cref="Run"/> return soon, from any thread.</summary>
    void Abandon();
}
