using System.Net.Sockets;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Rings;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.SharedMemory;

namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>A message of the worker.</summary>
/// <param name="Offer">The map in its arguments, when it is a handshake with a map.</param>
/// <param name="Flow">The channel that it holds (true) or lets go on (false), when it is a message of flow control.</param>
/// <param name="Parts">The number of elements of the outer array when it is a fixarray, otherwise -1.</param>
internal sealed record Received(
    ulong Channel, ulong Type, int Parts, int Arguments, ArgumentShape Shape, byte[] Data, int Category, int Code, string Text,
    bool SawBin, WorkerOffer? Offer, (ulong Channel, bool Holds)? Flow);

/// <summary>
/// The node's end of a worker's connection, on one thread and without an event loop: bytes and rings on one side, whole messages on the
/// other.
/// </summary>
/// <remarks>
/// Safety: owns socket, page, segment and bells; <see cref="Dispose"/> detaches the ring ends before the segment goes. The poll table is on
/// the stack.
/// </remarks>
internal sealed unsafe class NodeEnd(Socket socket, WorkerProcess process, BeginPage page) : IDisposable
{
    /// <summary>Small on purpose: long messages go through the ring in many pieces, and both sides must wait for each other.</summary>
    private const int RingBytes = 64 << 10;

    /// <summary>Calls that the worker may have begun at the same time: more than a case has.</summary>
    public const int MostBegun = 64;

    private const short PollIn = 1, PollOut = 4;

    private readonly List<byte[]> _unsent = [];
    private readonly MemoryStream _incoming = new();
    private readonly byte[] _buffer = new byte[256 << 10];
    private int _unsentOffset;
    private Segment? _segment;
    private bool _hasPage;
    private EventDescriptor? _nodeBell, _workerBell;
    private ByteRingWriter? _requests;
    private ByteRingReader? _answers;
    private readonly PieceAssembler _pieces = new(ProtocolLimits.Default.MaxMessageBytes + ProtocolLimits.FramingBytes);

    /// <summary>The worker has closed its socket.</summary>
    public bool SocketEnded { get; private set; }

    /// <summary>The worker has sent bytes that are no message, or has broken its ring.</summary>
    public string? Fault { get; private set; }

    public bool OnPipe => _segment is not null;

    /// <summary>The messages that have come, oldest first.</summary>
    public Queue<Received> Messages { get; } = new();

    /// <summary>Answers a handshake by granting the pipe, and the rest that the worker offers.</summary>
    public void GrantPipe(WorkerOffer granted)
    {
        Segment segment = Segment.Create(RingBytes, generation: 1, spinMicroseconds: 0, shared: true, MostBegun);
        _nodeBell = new EventDescriptor();
        _workerBell = new EventDescriptor();
        MemorySink grant = new(64);
        MessageWriter.WriteGrant(grant, granted);
        if (!DescriptorPassing.TrySend((int)socket.Handle, grant.Written,
                [segment.Descriptor, _workerBell.Descriptor, _nodeBell.Descriptor]))
        {
            throw LibC.Failure("sendmsg");
        }

        segment.CloseDescriptor();
        _segment = segment;
        _requests = new ByteRingWriter(segment.Requests);
        _answers = new ByteRingReader(segment.Responses);
    }

    /// <summary>The worker uses the page beside its socket.</summary>
    public void GrantPage() => _hasPage = true;

    /// <summary>The worker tells what it has begun: on the pipe, or in the page.</summary>
    public bool TellsBegun => _hasPage ? page.Words.AreKept : _segment?.Words.AreKept == true;

    /// <summary>Begins a recall. Returns its number, and the highest channel that the worker has begun.</summary>
    public int BeginRecall(out ulong begun) =>
        _segment is null ? page.Words.BeginRecall(out begun) : _segment.Words.BeginRecall(out begun);

    /// <summary>Sends whole messages, or on the socket any part of one.</summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        if (_requests is not { } ring)
        {
            _unsent.Add(bytes.ToArray());
            Push();
            return;
        }

        if (bytes.Length <= ring.MaxContiguousBytes)
        {
            bytes.CopyTo(ring.BeginMessage(bytes.Length));
            ring.EndMessage(bytes.Length);
        }
        else
        {
            ring.WriteLong(bytes, default, default);
        }

        Push();
    }

    /// <summary>Closes the connection to the worker.</summary>
    public void CloseSocket() => socket.Dispose();

    /// <summary>Waits for the worker at most so long, and takes its bytes and records.</summary>
    public void Pump(int timeoutMs)
    {
        Push();
        bool parked = _answers is null || _answers.TryPark();
        Poll(parked && Messages.Count == 0 ? timeoutMs : 0);
        _answers?.Unpark();
        _nodeBell?.Clear();
        process.Look();
        ReadSocket();
        ReadRing();
        Push();
    }

    public void Dispose()
    {
        _requests?.Detach();
        _answers?.Detach();
        _pieces.Clear();
        _segment?.Dispose();
        page.Dispose();
        _nodeBell?.Dispose();
        _workerBell?.Dispose();
        socket.Dispose();
        _incoming.Dispose();
    }

    private void Push()
    {
        if (_requests is { } ring)
        {
            bool drained = ring.DrainOverflow();
            if (ring.Publish())
            {
                _workerBell!.Ring();
            }

            while (!drained && !ring.TryWaitForRoom())
            {
                drained = ring.DrainOverflow();
                if (ring.Publish())
                {
                    _workerBell!.Ring();
                }
            }

            Fault ??= ring.Fault;
            return;
        }

        while (_unsent.Count > 0 && !SocketEnded)
        {
            int sent = socket.Send(_unsent[0].AsSpan(_unsentOffset), SocketFlags.None, out SocketError error);
            if (error != SocketError.Success)
            {
                SocketEnded |= error != SocketError.WouldBlock;
                return;
            }

            _unsentOffset += sent;
            if (_unsentOffset == _unsent[0].Length)
            {
                _unsent.RemoveAt(0);
                _unsentOffset = 0;
            }
        }
    }

    private void Poll(int timeoutMs)
    {
        ReadOnlySpan<int> others = process.Descriptors;
        long* table = stackalloc long[5]; // struct pollfd: int descriptor, short wanted, short seen
        int count = 0;
        if (!SocketEnded && !socket.SafeHandle.IsClosed)
        {
            Entry(table + count++, (int)socket.Handle, (short)(PollIn | (_unsent.Count > 0 ? PollOut : 0)));
        }

        if (_nodeBell is not null)
        {
            Entry(table + count++, _nodeBell.Descriptor, PollIn);
        }

        foreach (int descriptor in others)
        {
            if (descriptor >= 0)
            {
                Entry(table + count++, descriptor, PollIn);
            }
        }

        _ = LibC.poll(table, count, timeoutMs);
    }

    private static void Entry(long* entry, int descriptor, short wanted)
    {
        ((int*)entry)[0] = descriptor;
        ((short*)entry)[2] = wanted;
        ((short*)entry)[3] = 0;
    }

    private void ReadSocket()
    {
        while (!SocketEnded && !socket.SafeHandle.IsClosed)
        {
            int count = socket.Receive(_buffer, SocketFlags.None, out SocketError error);
            if (error == SocketError.WouldBlock)
            {
                return;
            }

            if (error != SocketError.Success || count == 0)
            {
                SocketEnded = true;
                return;
            }

            if (OnPipe)
            {
                Fault ??= "it sent a message on the socket beside the pipe";
                return;
            }

            _incoming.Position = _incoming.Length;
            _incoming.Write(_buffer, 0, count);
            ReadOnlySpan<byte> whole = _incoming.GetBuffer().AsSpan(0, (int)_incoming.Length);
            int taken = TakeMessages(whole, mayBeCut: true);
            if (taken > 0)
            {
                byte[] rest = whole[taken..].ToArray();
                _incoming.SetLength(0);
                _incoming.Write(rest);
            }
        }
    }

    private void ReadRing()
    {
        while (_answers is { } ring && Fault is null)
        {
            switch (ring.TryRead(out ReadOnlySpan<byte> payload, out RecordKind kind))
            {
                case RingRead.Empty:
                    if (ring.Release())
                    {
                        _workerBell!.Ring();
                    }

                    return;
                case RingRead.Fault:
                    Fault = $"its ring is broken: {ring.Fault}";
                    return;
            }

            if (kind == RecordKind.Last && !_pieces.UnderWay)
            {
                TakeMessages(payload, mayBeCut: false);
            }
            else if (!_pieces.TryAdd(payload))
            {
                Fault = "a message in pieces grew over the limit of one message";
            }
            else if (kind == RecordKind.Last)
            {
                TakeMessages(_pieces.Bytes, mayBeCut: false);
                _pieces.Clear();
            }
            else if (ring.Release())
            {
                _workerBell!.Ring(); // room for the next pieces
            }
        }
    }

    /// <summary>Returns the number of bytes in whole messages.</summary>
    private int TakeMessages(ReadOnlySpan<byte> bytes, bool mayBeCut)
    {
        int taken = 0;
        while (taken < bytes.Length && Fault is null)
        {
            ReadOnlySpan<byte> rest = bytes[taken..];
            DecodeStatus status = MessageDecoder.Decode(rest, ProtocolLimits.Default, out MessageLayout layout);
            if (status == DecodeStatus.NeedMore && mayBeCut)
            {
                break;
            }

            if (status != DecodeStatus.Ok)
            {
                Fault = $"it sent what is no message: {layout.Problem ?? "a record that ends within one"} ({Hex(rest)})";
                break;
            }

            MessageView view = new(in layout, rest);
            Messages.Enqueue(new Received(
                layout.Channel, layout.Type, (rest[0] & 0xf0) == 0x90 ? rest[0] & 15 : -1, layout.ArgumentCount, layout.Shape,
                layout.Shape == ArgumentShape.Data ? view.Data.ToArray() : [], layout.Category, layout.Code,
                System.Text.Encoding.UTF8.GetString(view.Text), layout.SawBin,
                layout is { Shape: ArgumentShape.Data, ArgumentCount: 2 } ? WorkerOffer.Read(view.AfterData) : null,
                layout is { Channel: MessageWriter.ControlChannel, Type: ControlType.Flow }
                    && FlowControl.TryRead(in view, out ulong number, out bool holds) ? (number, holds) : null));
            taken += layout.TotalBytes;
        }

        return taken;
    }

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes[..Math.Min(bytes.Length, 16)]);
}
