using System.Buffers;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>
/// Messages to a client that has asked to hold them, in order, until they may leave for its socket. They lie in blocks of the loop: an
/// array that grows would leave several times as much behind as is kept.
/// </summary>
/// <param name="buffers">The loop's pool.</param>
internal sealed class KeptMessages(BufferPool buffers) : MessageSink
{
    /// <summary>The most places for lengths that stay for the next answer: those of the chunks of a usual one.</summary>
    private const int MostPlaces = 1024;

    private readonly PipeSink _bytes = new(buffers);
    private readonly Queue<int> _lengths = new(); // of the messages in _bytes

    public override int MaxContiguousBytes => _bytes.MaxContiguousBytes;

    /// <summary>Bytes that are kept, including framing.</summary>
    public long SizeBytes => _bytes.PendingBytes;

    public bool IsEmpty => _lengths.Count == 0;

    public override Span<byte> BeginMessage(int maxBytes) => _bytes.BeginMessage(maxBytes);

    public override void EndMessage(int sizeBytes)
    {
        _bytes.EndMessage(sizeBytes);
        _lengths.Enqueue(sizeBytes);
    }

    public override void WriteLong(scoped ReadOnlySpan<byte> prefix, scoped in Payload payload, scoped ReadOnlySpan<byte> suffix)
    {
        _bytes.WriteLong(prefix, in payload, suffix);
        _lengths.Enqueue(prefix.Length + payload.Length + suffix.Length);
    }

    /// <summary>Moves the oldest message to another sink.</summary>
    public void MoveOne(MessageSink to)
    {
        if (_lengths.TryDequeue(out int length))
        {
            ReadOnlySequence<byte> message = _bytes.Written().Slice(0, length);
            to.WriteLong(default, new Payload(in message), default);
            _bytes.Pipe!.Reader.AdvanceTo(message.End);
            _bytes.Sent(length);
        }
    }

    /// <summary>Drops all messages and gives their memory back.</summary>
    public void Clear()
    {
        _bytes.Clear();
        _lengths.Clear();
        if (_lengths.Capacity > MostPlaces)
        {
            _lengths.TrimExcess(MostPlaces);
        }
    }
}
