namespace Cocaine.Fast.Core.Protocol;

/// <summary>
/// The destination of encoded messages: a ring, a socket's buffer, or memory. The writer begins one message, writes it into the span and
/// ends it; the peer sees no part of it before <see cref="EndMessage"/>. One thread writes.
/// </summary>
internal abstract class MessageSink
{
    /// <summary>The most bytes that <see cref="BeginMessage"/> gives; a longer message goes through <see cref="WriteLong"/>.</summary>
    public abstract int MaxContiguousBytes { get; }

    /// <summary>A span of at least <paramref name="maxBytes"/> for the next message.</summary>
    public abstract Span<byte> BeginMessage(int maxBytes);

    /// <summary>Ends the message begun last, <paramref name="sizeBytes"/> long.</summary>
    public abstract void EndMessage(int sizeBytes);

    /// <summary>Writes one message given in three parts, of any length, in as many pieces as the sink needs.</summary>
    public abstract void WriteLong(scoped ReadOnlySpan<byte> prefix, scoped in Payload payload, scoped ReadOnlySpan<byte> suffix);
}
