namespace Cocaine.Fast.Worker.Serving;

/// <summary>Why a worker's loop ended.</summary>
internal enum WorkerExit
{
    /// <summary>The node asked for the end and every job is done.</summary>
    Terminated = 0,

    /// <summary>The node is gone, or gave this worker up.</summary>
    Abandoned = 1,

    /// <summary>The node's ring is broken.</summary>
    Fault = 70,
}

/// <summary>The loop of a slave's thread: the .NET SDK's loop, or the loop of a C++ app.</summary>
internal interface ISlaveLoop
{
    /// <summary>Serves until the end.</summary>
    WorkerExit Run();

    /// <summary>Makes <see cref="Run"/> return soon, from any thread.</summary>
    void Abandon();

    /// <summary>The loop knows flow control of one channel.</summary>
    bool HasFlow { get; }

    /// <summary>The running jobs, a line for each, for people; from any thread. Empty when the loop cannot tell.</summary>
    string Describe() => "";
}
