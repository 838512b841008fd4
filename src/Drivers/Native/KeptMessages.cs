using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Rings;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>Messages to a client that has asked to hold them, in order, until they may leave for its socket.</summary>
internal sealed class KeptMessages : MessageSink
{
    private readonly OverflowQueue _queue = new();

    public override int MaxContiguousBytes => int.MaxValue;

    /// <summary>Bytes that are kept, including framing.</summary>
    public int SizeBytes => _queue.SizeBytes;

    public bool IsEmpty => _queue.SizeBytes == 0;

    public override Span<byte> BeginMessage(int maxBytes) => _queue.Begin(maxBytes);

    public override void EndMessage(int sizeBytes) => _queue.End(sizeBytes);

    public override void WriteLong(scoped ReadOnlySpan<byte> prefix, scoped in Payload payload, scoped ReadOnlySpan<byte> suffix)
    {
        Span<byte> to = _queue.Begin(prefix.Length + payload.Length + suffix.Length);
        prefix.CopyTo(to);
        payload.CopyTo(to[prefix.Length..]);
        suffix.CopyTo(to[(prefix.Length + payload.Length)..]);
        _queue.End(to.Length);
    }

    /// <summary>Moves the oldest message to another sink.</summary>
    public void MoveOne(MessageSink to)
    {
        if (_queue.TryPeek(out ReadOnlySpan<byte> message))
        {
            to.WriteLong(message, default, default);
            _queue.Consume(message.Length);
        }
    }

    /// <summary>Drops all messages and gives their memory back.</summary>
    public void Clear() => _queue.Clear();
}
