namespace Cocaine.Fast.Worker.Testing;

/// <summary>A call for <see cref="AppRunner"/>.</summary>
/// <param name="Event">The event's name.</param>
public sealed record AppCall(string Event)
{
    /// <summary>The request's chunks.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Chunks { get; init; } = [];

    /// <summary>Headers beside those of the trace.</summary>
    public IReadOnlyList<(string Name, byte[] Value)> Headers { get; init; } = [];

    /// <summary>The id of the trace; 0 = none is sent.</summary>
    public ulong TraceId { get; init; }

    /// <summary>The id of the call, sent with a trace id.</summary>
    public ulong SpanId { get; init; }

    /// <summary>The id of the calling call, sent with a trace id.</summary>
    public ulong ParentId { get; init; }

    /// <summary>The caller gives up after the last chunk, instead of closing its side.</summary>
    public bool GivesUp { get; init; }
}
