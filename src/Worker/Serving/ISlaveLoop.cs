namespace Cocaine.Fast.Worker.Serving;

/// <summary>What a slave's thread runs: the .NET SDK's loop, or a C++ app's own.</summary>
internal interface ISlaveLoop
{
    /// <summary>Serves until the end.</summary>
    WorkerExit Run();

    /// <summary>Makes <see cref="Run"/> return soon, from any thread.</summary>
    void Abandon();

    /// <summary>What runs now, a line for each job, for people; from any thread. Empty when it cannot tell.</summary>
    string Describe() => "";
}
