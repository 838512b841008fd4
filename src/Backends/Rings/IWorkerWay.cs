using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Backends.Rings;

/// <summary>The way of messages to a worker process and back: its rings, or its socket. Lives on the engine's loop.</summary>
internal interface IWorkerWay
{
    /// <summary>The sink of messages to the worker; call <see cref="Flush"/> after them.</summary>
    MessageSink Sink { get; }

    /// <summary>Bytes of messages that the worker has not made room for yet.</summary>
    long BacklogBytes { get; }

    /// <summary>The worker has shown that it understands payloads as MessagePack bin.</summary>
    bool PeerSpeaksBin { get; }

    /// <summary>The way's name, for info.</summary>
    string Kind { get; }

    /// <inheritdoc cref="SlaveLink.IsBlocked"/>
    bool IsBlocked { get; }

    /// <summary>What the worker tells about jobs that it has begun; null when it tells nothing.</summary>
    BegunJobs? Begun { get; }

    /// <summary>Shows the written messages to the worker at the end of the turn.</summary>
    void Flush();

    /// <inheritdoc cref="SlaveLink.AskForRead"/>
    void AskForRead();

    /// <summary>Stops reading the worker's messages, until <see cref="ResumeReading"/>.</summary>
    void PauseReading();

    void ResumeReading();

    /// <summary>Takes the answers that are left from a worker that has ended.</summary>
    void DrainAnswers();
}
