using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Backends.Rings;

/// <summary>The way of messages to a worker process and back: its rings, or its socket. Lives on the engine's loop.</summary>
internal interface IWorkerWay
{
    /// <summary>The sink of messages to the worker; call <see cref="Flush"/> after them.</summary>
    MessageSink Sink { get; }

    /// <summary>Bytes that the worker has not made room for yet.</summary>
    long BacklogBytes { get; }

    /// <summary>The worker has shown that it takes payloads as MessagePack bin.</summary>
    bool PeerSpeaksBin { get; }

    /// <summary>Its name, for info.</summary>
    string Kind { get; }

    /// <summary>Shows what was written at the end of the turn.</summary>
    void Flush();

    /// <summary>Stops taking the worker's messages, until <see cref="ResumeReading"/>.</summary>
    void PauseReading();

    void ResumeReading();

    /// <summary>Takes the answers that a worker which has ended has left.</summary>
    void DrainAnswers();
}
