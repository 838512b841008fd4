using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>
/// The sending half of a connection. Bytes that are written in a turn go out once, at its end, together with the sends of other connections
/// when there are any. A long message goes out without a copy: when the loan of its memory ends, or when it is written.
/// </summary>
/// <remarks>
/// Safety: memory that is offered to the kernel is pinned memory of the output pipe, and the pipe does not advance over it before the
/// result is there. A long message is memory of its writer, pinned during the one call, or lent until <see cref="GiveBack"/>. All members
/// are for the loop's thread.
/// </remarks>
internal sealed unsafe class SocketSender : TurnTask, IBatchedSender, IBorrower, ILongSender
{
    /// <summary>The least payload that is sent at once: below it, a send of its own costs more than the copy that it saves.</summary>
    private const int SendAtOnceBytes = 256 << 10;

    /// <summary>The least payload that is encrypted at once: a record of this length costs less than the copy.</summary>
    private const int EncryptAtOnceBytes = 8 << 10;

    private readonly SocketConnection _connection;
    private bool _asksForRead;               // the peer's reading of what was written is awaited
    private bool _isBatched;                 // the connection's send is in the turn's batch
    private BorrowedParts? _borrowed;        // made with the first long message in lent memory
    private bool _isBorrower;                // the loop's lending knows this connection
    private ReadOnlySequence<byte> _offered; // the bytes of that send; valid while _isBatched

    public SocketSender(SocketConnection connection)
    {
        _connection = connection;
        Output = new PipeSink(connection.Loop.Buffers, this);
    }

    /// <summary>The output pipe with the unsent bytes.</summary>
    public PipeSink Output { get; }

    /// <summary>The connection's TLS; null without.</summary>
    public TlsLayer? Tls { get; set; }

    /// <inheritdoc/>
    public int LeastAtOnceBytes => Tls is null ? SendAtOnceBytes : EncryptAtOnceBytes;

    /// <summary>The bytes that the socket gets: the output, or its cipher text.</summary>
    private PipeSink Wire => Tls?.Wire ?? Output;

    /// <summary>The socket is full; <see cref="OnRoom"/> ends this state.</summary>
    public bool IsBlocked { get; private set; }

    /// <summary>Room in the socket is news: there are bytes for it, or the peer's reading is awaited.</summary>
    public bool AwaitsRoom => IsBlocked || _asksForRead;

    /// <summary>The turn ends: sends the written bytes, together with other connections' when there are some.</summary>
    public override void OnTurnEnd()
    {
        SendBatch batch = _connection.Loop.SendBatch;
        if (!batch.IsCollecting || !_connection.IsOpen || IsBlocked || !FillWire())
        {
            Flush();
            return;
        }

        ReadOnlySequence<byte> buffer = BeginSend();
        if (!buffer.IsSingleSegment)
        {
            EndSend(SocketWrites.SendParts(_connection.Descriptor, in buffer, out long offered), offered, in buffer);
            Flush();
            return;
        }

        _offered = buffer;
        _isBatched = true;
        ReadOnlySpan<byte> span = buffer.FirstSpan;
        batch.Add(this, _connection.Descriptor, Unsafe.AsPointer(ref MemoryMarshal.GetReference(span)), span.Length, SocketWrites.Flags);
    }

    /// <summary>The result of the send that was added to the turn's batch: bytes, or a negative errno.</summary>
    public void OnResult(int result)
    {
        ReadOnlySequence<byte> buffer = _offered;
        _offered = default;
        _isBatched = false;
        EndSend(result, buffer.Length, in buffer);
        Flush();
    }

    /// <summary>The socket has room again.</summary>
    public void OnRoom()
    {
        IsBlocked = false;
        bool isRead = _asksForRead && Output.PendingBytes == 0;
        _asksForRead &= !isRead;
        _connection.UpdateWatch();
        Flush();
        if (isRead)
        {
            _connection.OnRead();
        }
    }

    /// <summary>Asks for a word, in a later turn, when the peer of a Unix socket has read all but a quarter of its buffer.</summary>
    public void AskForRead()
    {
        _asksForRead = true;
        _connection.UpdateWatch();
    }

    /// <summary>Makes sure that the turn's batch has no send of this connection.</summary>
    public void Settle()
    {
        if (_isBatched)
        {
            _connection.Loop.SendBatch.Settle(this);
        }
    }

    /// <inheritdoc/>
    public bool TryBorrow([NotNullWhen(true)] out BorrowedParts? parts, scoped ReadOnlySpan<byte> payload)
    {
        Lending lending = _connection.Loop.Lending;
        if (IsBlocked || !_connection.IsOpen || Tls is not null || !lending.Has(payload))
        {
            parts = null;
            return false;
        }

        if (_borrowed is { IsFull: true })
        {
            SendBorrowed();
        }

        if (!_isBorrower)
        {
            _isBorrower = true;
            lending.Add(this);
        }

        Settle();
        parts = _borrowed ??= new BorrowedParts();
        return !IsBlocked;
    }

    /// <inheritdoc/>
    public void GiveBack()
    {
        _isBorrower = false;
        if (_borrowed is { Any: true })
        {
            SendBorrowed();
        }
    }

    /// <inheritdoc/>
    public void ForgetBorrowed() => _borrowed?.Clear();

    /// <summary>
    /// Sends what was written before, and a long message behind it, without a copy; as much as the socket takes now. A failure shows itself
    /// in the next send, at the end of the turn, and not here: the caller is in the middle of its work.
    /// </summary>
    /// <returns>The bytes of the message that are sent: the caller writes the others.</returns>
    public long TrySendNow(scoped ReadOnlySpan<byte> prefix, scoped ReadOnlySpan<byte> payload, scoped ReadOnlySpan<byte> suffix)
    {
        Settle();
        if (_borrowed is { Any: true })
        {
            SendBorrowed();
        }

        if (!_connection.IsOpen || IsBlocked)
        {
            return 0;
        }

        if (Tls is not null)
        {
            LongRecords records = new(Tls, _connection);
            long taken = records.Send(Output, prefix, payload, suffix);
            if (records.IsBlocked)
            {
                Block();
            }

            return taken;
        }

        ReadOnlySequence<byte> before = Output.PendingBytes > 0 ? Output.Written() : default;
        IoVector* vectors = stackalloc IoVector[SocketWrites.MaxVectors];
        int count = SocketWrites.AddParts(in before, vectors, SocketWrites.MaxVectors - 3, out long offered);
        if (offered < before.Length)
        {
            Output.Pipe!.Reader.AdvanceTo(before.Start);
            return 0;
        }

        _connection.Loop.Counters.Sends++;
        fixed (byte* first = prefix, second = payload, third = suffix)
        {
            vectors[count++] = new IoVector { Base = first, Length = prefix.Length };
            vectors[count++] = new IoVector { Base = second, Length = payload.Length };
            vectors[count++] = new IoVector { Base = third, Length = suffix.Length };
            offered += prefix.Length + payload.Length + suffix.Length;
            nint sent = SocketWrites.SendMessage(_connection.Descriptor, vectors, count);
            if (sent < offered && (sent >= 0 || -sent is LibC.EAGAIN or LibC.EINTR))
            {
                Block();
            }

            long gone = Math.Min(Math.Max(sent, 0), before.Length); // of the bytes in the pipe
            if (!before.IsEmpty)
            {
                Output.Pipe!.Reader.AdvanceTo(before.GetPosition(gone));
                Output.Sent(gone);
            }

            long direct = Math.Max(sent, 0) - gone;
            Output.CountSent(direct);
            return direct;
        }
    }

    /// <summary>Sends as much as the socket takes.</summary>
    public void Flush()
    {
        Settle();
        if (_borrowed is { Any: true })
        {
            SendBorrowed();
        }

        while (_connection.IsOpen && !IsBlocked && FillWire())
        {
            SendOnce();
        }

        if (_connection.IsOpen && Output.PendingBytes == 0 && Wire.PendingBytes == 0)
        {
            _connection.TellSent();
        }
    }

    /// <summary>Sends bytes of TLS alone, and tells nobody.</summary>
    private void SendWire()
    {
        while (_connection.IsOpen && !IsBlocked && Wire.PendingBytes > 0)
        {
            SendOnce();
        }
    }

    /// <summary>Sends the alert of a session that has failed.</summary>
    public void SendAlert()
    {
        if (Tls is { HasFailed: true })
        {
            SendWire();
        }
    }

    /// <summary>Tells the peer that no byte follows, when all were sent. Without TLS the close itself tells.</summary>
    public void TellEnd()
    {
        Settle();
        if (Tls is { HasFailed: false } && _connection.IsOpen && Output.PendingBytes == 0)
        {
            Tls.WriteCloseNotice();
            SendWire();
        }
    }

    private void SendOnce()
    {
        ReadOnlySequence<byte> buffer = BeginSend();
        EndSend(SocketWrites.Send(_connection.Descriptor, in buffer, out long offered), offered, in buffer);
    }

    /// <summary>Encrypts written bytes when the socket has taken the earlier ones. True when there are bytes to send.</summary>
    private bool FillWire()
    {
        if (Tls is { } tls && tls.Wire.PendingBytes == 0 && !tls.Encrypt(Output))
        {
            _connection.Close(tls.Problem);
            return false;
        }

        return Wire.PendingBytes > 0;
    }

    /// <summary>
    /// Sends the written bytes with those in lent memory among them, and copies what the socket does not take. A failure shows itself in
    /// the next send: the caller may be in the middle of its work.
    /// </summary>
    private void SendBorrowed()
    {
        ReadOnlySequence<byte> written = BeginSend();
        IoVector* vectors = stackalloc IoVector[SocketWrites.MaxVectors];
        int count = _borrowed!.Fill(in written, vectors, SocketWrites.MaxVectors, out long offered);
        nint sent = SocketWrites.SendMessage(_connection.Descriptor, vectors, count);
        if (sent < offered && (sent >= 0 || -sent is LibC.EAGAIN or LibC.EINTR))
        {
            Block();
        }

        Output.Replace(_borrowed, in written, Math.Max(sent, 0));
    }

    /// <summary>Shows the written bytes that have not been sent; <see cref="EndSend"/> must follow.</summary>
    private ReadOnlySequence<byte> BeginSend()
    {
        _connection.Loop.Counters.Sends++;
        return Wire.Written();
    }

    /// <summary>Takes off the sent bytes; a negative number is an errno.</summary>
    private void EndSend(nint sent, long offered, in ReadOnlySequence<byte> buffer)
    {
        PipeSink wire = Wire;
        PipeReader reader = wire.Pipe!.Reader;
        reader.AdvanceTo(sent >= 0 ? buffer.GetPosition(sent) : buffer.Start);
        if (sent >= 0)
        {
            wire.Sent(sent);
        }

        if (sent == offered)
        {
            return;
        }

        if (sent >= 0 || -sent is LibC.EAGAIN or LibC.EINTR)
        {
            Block();
        }
        else
        {
            _connection.Close($"send failed: {Errno.Describe((int)-sent)}");
        }
    }

    private void Block()
    {
        IsBlocked = true;
        _connection.UpdateWatch();
    }
}
