using System.Buffers;
using Cocaine.Fast.Drivers.ZeroMq.Wire;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq.Wire;

/// <summary>
/// A transport without a socket: keeps the bytes that a session has not taken, as a connection does, and records all that the session says.
/// </summary>
internal sealed class RecordingHost : IWireHost
{
    private readonly WireSession _session;
    private readonly bool _keepsText;
    private byte[] _waiting = [];

    /// <param name="own">The type of the own socket.</param>
    /// <param name="keepsText">Keeps a text of each message; otherwise only the bytes are counted.</param>
    public RecordingHost(SocketKind own, bool keepsText = true)
    {
        _session = new WireSession(this, own);
        _keepsText = keepsText;
    }

    public WireSession Session => _session;

    public List<string> Said { get; } = [];

    public List<byte> Sent { get; } = [];

    public string? Problem { get; private set; }

    /// <summary>Bytes of all messages.</summary>
    public long MessageBytes { get; private set; }

    /// <summary>Messages that are refused before each is taken.</summary>
    public int Refusals { get; init; }

    public bool IsTaking { get; private set; } = true;

    public int WaitingBytes => _waiting.Length;

    private int _refused;

    /// <summary>Gives the session more bytes, in segments of so many bytes.</summary>
    public void Feed(ReadOnlySpan<byte> bytes, int segmentBytes)
    {
        byte[] all = new byte[_waiting.Length + bytes.Length];
        _waiting.CopyTo(all, 0);
        bytes.CopyTo(all.AsSpan(_waiting.Length));
        do
        {
            IsTaking = true;
            ReadOnlySequence<byte> sequence = Segment.Of(all, segmentBytes);
            long taken = _session.Take(in sequence, out string? problem);
            if (taken < 0 || taken > all.Length)
            {
                throw new InvalidOperationException($"{taken} of {all.Length} bytes were taken");
            }

            Problem ??= problem;
            all = all[(int)taken..];
        }
        while (!IsTaking && Problem is null);

        _waiting = all;
    }

    public void Send(scoped ReadOnlySpan<byte> bytes) => Sent.AddRange(bytes);

    public string? OnReady()
    {
        Said.Add($"ready {_session.PeerKind} {Convert.ToHexString(_session.Identity)}");
        return null;
    }

    public bool OnMessage(FrameList message)
    {
        if (_refused < Refusals)
        {
            _refused++;
            IsTaking = false;
            return false;
        }

        _refused = 0;
        string text = "";
        for (int i = 0; i < message.Count; i++)
        {
            MessageBytes += message[i].Length;
            if (!message[i].SequenceEqual(message.PayloadAt(i).ToArray()) || message.LengthAt(i) != message[i].Length)
            {
                throw new InvalidOperationException("a frame is not its payload");
            }

            text += _keepsText ? Convert.ToHexString(message[i]) + "," : "";
        }

        if (_keepsText)
        {
            Said.Add(text);
        }

        return true;
    }

    public string? OnSubscription(ReadOnlySpan<byte> topic, bool adds)
    {
        Said.Add($"{(adds ? "+" : "-")}{Convert.ToHexString(topic)}");
        return null;
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        private Segment(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

        public static ReadOnlySequence<byte> Of(byte[] bytes, int segmentBytes)
        {
            if (segmentBytes >= bytes.Length)
            {
                return new ReadOnlySequence<byte>(bytes);
            }

            Segment first = new(bytes.AsMemory(0, segmentBytes), 0), last = first;
            for (int at = segmentBytes; at < bytes.Length; at += segmentBytes)
            {
                Segment next = new(bytes.AsMemory(at, Math.Min(segmentBytes, bytes.Length - at)), at);
                last.Next = next;
                last = next;
            }

            return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
        }
    }
}
