using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Jobs;

/// <summary>
/// The other nodes, as the engines of an app on a loop see them: they take jobs that would wait here for too long. All
/// calls come on that loop.
/// </summary>
internal interface IForwarder
{
    /// <summary>No slave takes a job now: the node that takes it, or null when the job stays here.</summary>
    /// <param name="own">The queue that the job would wait in.</param>
    IPeer? Choose(in OwnQueue own);

    /// <summary>Every job of an engine that is at another node fails. Versions of an app have one forwarder.</summary>
    void FailAll(IJobEngine engine, int code, string reason, ErrorCause cause);
}

/// <summary>Another loop or node as the runner of a job. All calls come on the engine's loop.</summary>
internal interface IRunnerElsewhere : IJobRunner
{
    /// <summary>
    /// A job that the runner has was answered here: the runner is told, gives the job back at once, and what it answers is dropped.
    /// </summary>
    void Cancel(Job job, in JobError error);
}

/// <summary>Another node as the runner of a job.</summary>
internal interface IPeer : IRunnerElsewhere
{
    /// <summary>The node's name in UTF-8, for records.</summary>
    byte[] Name { get; }

    /// <summary>Sends a job with its request so far.</summary>
    void Run(Job job);

    /// <summary>Sends more of a job's request.</summary>
    void WriteChunk(Job job, in Payload chunk);

    /// <summary>The request is whole.</summary>
    void EndRequest(Job job);
}
