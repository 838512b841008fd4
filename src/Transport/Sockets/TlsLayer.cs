using System.Buffers;
using System.Runtime.InteropServices;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>
/// The TLS of one connection after its handshake. Received cipher text is decrypted straight into the connection's blocks, and the plain
/// text of a turn becomes as few records as possible. Cipher text that the socket does not take stops the encryption, so back-pressure
/// counts plain text as it does without TLS.
/// </summary>
/// <remarks>
/// Safety: the addresses that a session gets are the thread's scratch, pinned blocks of the loop, and memory that is fixed for the call.
/// All members are for the loop's thread.
/// </remarks>
internal sealed unsafe class TlsLayer : IDisposable
{
    /// <summary>The most cipher text that waits for the socket: about as much as a socket takes at once.</summary>
    private const int MaxWireBytes = 256 << 10;

    /// <summary>Cipher text from which on a peer that reads nothing has asked for too many answers of TLS itself.</summary>
    private const int MaxUnaskedBytes = 2 * MaxWireBytes;

    /// <summary>The most receives of one event, each of the scratch's size: as many bytes as without TLS.</summary>
    private const int MaxReceivesPerEvent = 5;

    /// <summary>Records of one event. A record may have a single byte, and 64 KiB of these would take 2 ms.</summary>
    private const int MaxRecordsPerEvent = 512;

    /// <summary>Plain text in pieces shorter than this is gathered: a record costs more than the copy.</summary>
    private const int GatherBelowBytes = 8 << 10;

    /// <summary>The memory that OpenSSL takes for the beginning of a record.</summary>
    private const int RecordBytes = 16 << 10;

    private const int DontWait = 0x40;

    private readonly TlsSession _session;
    private readonly BufferPool _buffers;
    private BufferBlock? _waiting;  // cipher text for the next turn; null when there is none
    private int _waitingStart;      // valid with _waiting
    private int _waitingEnd;        // valid with _waiting
    private bool _isDisposed;

    /// <param name="session">The session, after its handshake; it belongs to this object from now on.</param>
    /// <param name="first">Bytes that came behind the handshake; at most a large block.</param>
    /// <param name="buffers">The loop's pool.</param>
    public TlsLayer(TlsSession session, ReadOnlySpan<byte> first, BufferPool buffers)
    {
        _session = session;
        _buffers = buffers;
        Wire = new PipeSink(buffers);
        Keep(first);
    }

    /// <summary>Cipher text that the socket has not taken.</summary>
    public PipeSink Wire { get; }

    /// <summary>Received bytes wait for the next turn, and no event of the socket will tell.</summary>
    public bool HasWaiting => _waiting is not null;

    /// <summary>Memory of a record that is not whole.</summary>
    public int HiddenBytes => !HasFailed && _session.HoldsHalfRecord ? RecordBytes : 0;

    /// <summary>The session has failed: nothing can be sent or received any more.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>The reason of a failure.</summary>
    public string Problem { get; private set; } = "";

    /// <summary>Receives, and decrypts into <paramref name="input"/>.</summary>
    /// <param name="descriptor">The socket.</param>
    /// <param name="input">Gets the plain text.</param>
    /// <param name="counters">Counts the receives.</param>
    /// <param name="received">Bytes of cipher text that came.</param>
    /// <returns>NeedMore while the peer may send more; Closed after its close notice; Failed otherwise.</returns>
    public TlsResult Receive(int descriptor, IPlainInput input, LoopCounters counters, out long received)
    {
        received = 0;
        int records = 0;
        if (_waiting is { } waiting)
        {
            int length = _waitingEnd - _waitingStart;
            received = length;
            TlsResult result = Decrypt(waiting.Start + _waitingStart, length, input, ref records, out int left);
            _waitingStart = _waitingEnd - left;
            if (left == 0 || result != TlsResult.NeedMore)
            {
                DropWaiting();
            }

            if (result != TlsResult.NeedMore || left > 0)
            {
                return result;
            }
        }

        byte* scratch = TlsScratch.Own.Input;
        for (int i = 0; i < MaxReceivesPerEvent; i++)
        {
            counters.Receives++;
            nint count = LibC.recv(descriptor, scratch, TlsScratch.InputBytes, DontWait);
            if (count <= 0)
            {
                int error = count < 0 ? Marshal.GetLastPInvokeError() : 0;
                return error is LibC.EAGAIN or LibC.EINTR ? TlsResult.NeedMore
                    : Fail(error == 0 ? "the peer ended without a close notice" : Errno.Describe(error));
            }

            received += count;
            TlsResult result = Decrypt(scratch, (int)count, input, ref records, out int left);
            if (result != TlsResult.NeedMore)
            {
                return result;
            }

            if (left > 0)
            {
                Keep(new ReadOnlySpan<byte>(scratch + count - left, left));
                break;
            }

            if (count < TlsScratch.InputBytes)
            {
                break;
            }
        }

        return TlsResult.NeedMore;
    }

    /// <summary>Encrypts written bytes, as many as may wait for the socket. False when the session has failed.</summary>
    public bool Encrypt(PipeSink plain)
    {
        if (plain.PendingBytes == 0 || Wire.PendingBytes >= MaxWireBytes || HasFailed)
        {
            return !HasFailed;
        }

        ReadOnlySequence<byte> rest = plain.Written();
        long taken = 0;
        while (!rest.IsEmpty && Wire.PendingBytes < MaxWireBytes && Write(Next(in rest, out int length)))
        {
            rest = rest.Slice(length);
            taken += length;
        }

        plain.Pipe!.Reader.AdvanceTo(rest.Start);
        plain.Sent(taken);
        return !HasFailed;
    }

    /// <summary>Encrypts bytes where they lie, as many as may wait for the socket. Returns how many.</summary>
    public long Encrypt(scoped ReadOnlySpan<byte> plain)
    {
        int taken = 0;
        while (taken < plain.Length && Wire.PendingBytes < MaxWireBytes)
        {
            ReadOnlySpan<byte> next = plain.Slice(taken, Math.Min(plain.Length - taken, TlsSession.MaxPlainBytes));
            if (!Write(next))
            {
                break;
            }

            taken += next.Length;
        }

        return taken;
    }

    /// <summary>Tells the peer, behind all that was encrypted, that no byte follows.</summary>
    public void WriteCloseNotice()
    {
        TlsScratch scratch = TlsScratch.Own;
        _session.Begin(null, 0, scratch.Output, TlsScratch.OutputBytes);
        _session.Shutdown();
        EndStep(scratch);
    }

    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            HasFailed = true;
            Wire.Clear();
            DropWaiting();
            _session.Dispose();
        }
    }

    /// <summary>Decrypts records until none is whole, or the bound of an event is reached.</summary>
    /// <param name="start">The cipher text.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="input">Gets the plain text.</param>
    /// <param name="records">Counts the records of this event.</param>
    /// <param name="left">Bytes at the end that wait for the next turn.</param>
    private TlsResult Decrypt(byte* start, int length, IPlainInput input, ref int records, out int left)
    {
        TlsScratch scratch = TlsScratch.Own;
        TlsResult result;
        _session.Begin(start, length, scratch.Output, TlsScratch.OutputBytes);
        try
        {
            bool isWithin; // the rest of a record is still in the session
            do
            {
                int before = _session.InputBytes;
                result = _session.Read(input.Room(before + (_session.HasPlainText ? RecordBytes : 0)), out int count);
                isWithin = false;
                if (result == TlsResult.Ok)
                {
                    input.Add(count);
                    isWithin = _session.HasPlainText;
                }
                else if (result != TlsResult.NeedMore || _session.InputBytes == before)
                {
                    break;
                }
            }
            while (isWithin || (_session.InputBytes > 0 && ++records < MaxRecordsPerEvent));

            left = _session.InputBytes;
        }
        finally
        {
            EndStep(scratch);
        }

        if (left == length && result == TlsResult.NeedMore)
        {
            return Fail("bytes that belong to no record"); // otherwise they would be looked at for ever
        }

        if (result is TlsResult.Ok or TlsResult.NeedMore)
        {
            return Wire.PendingBytes <= MaxUnaskedBytes ? TlsResult.NeedMore : Fail("the peer reads no answers of TLS");
        }

        return result == TlsResult.Failed ? Fail(_session.Problem) : result;
    }

    /// <summary>The next bytes of a record, in one piece.</summary>
    private static ReadOnlySpan<byte> Next(in ReadOnlySequence<byte> rest, out int length)
    {
        ReadOnlySpan<byte> first = rest.FirstSpan;
        if (first.Length >= GatherBelowBytes || first.Length == rest.Length)
        {
            length = Math.Min(first.Length, TlsSession.MaxPlainBytes);
            return first[..length];
        }

        length = (int)Math.Min(rest.Length, TlsSession.MaxPlainBytes);
        Span<byte> gathered = new(TlsScratch.Own.Gather, length);
        rest.Slice(0, length).CopyTo(gathered);
        return gathered;
    }

    private bool Write(ReadOnlySpan<byte> plain)
    {
        Span<byte> room = Wire.BeginMessage(plain.Length + TlsSession.FrameBytes);
        fixed (byte* output = room)
        {
            _session.Begin(null, 0, output, room.Length);
            TlsResult result = HasFailed ? TlsResult.Failed : _session.Write(plain);
            Wire.EndMessage(_session.OutputBytes);
            _session.End();
            if (result != TlsResult.Ok)
            {
                _ = Fail(_session.Problem);
            }

            return result == TlsResult.Ok;
        }
    }

    /// <summary>Ends a step, and takes over what it has written for the peer.</summary>
    private void EndStep(TlsScratch scratch)
    {
        int bytes = _session.OutputBytes;
        _session.End();
        if (bytes > 0)
        {
            Wire.Write(new ReadOnlySpan<byte>(scratch.Output, bytes));
        }
    }

    private TlsResult Fail(string problem)
    {
        if (!HasFailed)
        {
            HasFailed = true;
            Problem = "TLS: " + problem;
        }

        return TlsResult.Failed;
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.IsEmpty)
        {
            _waiting = _buffers.RentBlock(isLarge: true);
            bytes.CopyTo(_waiting.Whole.Span);
            (_waitingStart, _waitingEnd) = (0, bytes.Length);
        }
    }

    private void DropWaiting()
    {
        _waiting?.Dispose();
        _waiting = null;
    }
}
