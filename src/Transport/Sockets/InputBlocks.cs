using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>
/// The received bytes of a connection that it has not taken yet, in a chain of the loop's blocks. The connection holds blocks only while it
/// has bytes, and while a request still uses the block whose rest is free.
/// </summary>
/// <remarks>
/// Safety: the blocks are pinned and this object is one of their users, so their addresses hold during a receive. Each block is filled to
/// its end before the next one is used.
/// </remarks>
internal sealed unsafe class InputBlocks(StreamHandler connection) : PartialInput, IPlainInput
{
    private const int DontWait = 0x40;

    /// <summary>The most receives of one event before others get their turn, of up to five large blocks each.</summary>
    private const int MaxReceivesPerEvent = 2;

    /// <summary>The most blocks of one receive: as many bytes as a socket usually has.</summary>
    private const int MostBlocks = 5;

    /// <summary>Free bytes from which on the rest of a block is worth to be kept for the next receive.</summary>
    private const int WorthyRestBytes = BufferPool.BlockSizeBytes;

    private BufferBlock? _first;  // the block with the first byte that was not taken; null without blocks
    private BufferBlock? _last;   // the block that is filled; null without blocks
    private int _start;           // place of that first byte; valid with blocks
    private int _end;             // end of the bytes in the last block; valid with blocks
    private long _usual;          // bytes that the connection looked at last: about as many come next
    private bool _hasNews;        // there are bytes that the connection has not looked at

    /// <summary>Bytes that were received and not taken.</summary>
    public long UnreadBytes { get; private set; }

    /// <summary>There are bytes that the connection has not looked at.</summary>
    public bool HasNews => _hasNews;

    /// <summary>The bytes that were not taken.</summary>
    public ReadOnlySequence<byte> Bytes => _first is null ? default : new ReadOnlySequence<byte>(_first, _start, _last!, _end);

    /// <summary>Receives until the socket has no more, or others should get their turn.</summary>
    /// <param name="ended">The peer has ended, or the receive has failed.</param>
    /// <param name="failed">The receive has failed.</param>
    /// <returns>The received bytes.</returns>
    public long ReceiveAll(out bool ended, out bool failed)
    {
        long received = 0;
        bool isFull;
        int receives = 0;
        do
        {
            nint count = Receive(out isFull);
            received += Math.Max(count, 0);
            ended = count == 0 || (count < 0 && -count is not (LibC.EAGAIN or LibC.EINTR));
            failed = count < 0;
        }
        while (isFull && ++receives < MaxReceivesPerEvent);

        return received;
    }

    /// <summary>Receives once, into the rest of the last block, and into large ones behind it when the peer sends much.</summary>
    /// <param name="isFull">All offered memory was filled: there may be more.</param>
    /// <returns>The bytes, 0 at the end, or a negative errno.</returns>
    private nint Receive(out bool isFull)
    {
        BufferBlock last = _last ?? Begin(isLarge: _usual > BufferPool.BlockSizeBytes);
        IoVector* vectors = stackalloc IoVector[MostBlocks];
        int room = last.Whole.Length - _end, count = 0;
        nint offered = room;
        if (room > 0)
        {
            vectors[count++] = new IoVector { Base = last.Start + _end, Length = room };
        }

        // As much as came the last time, and a block for the rest of a message.
        long wanted = Math.Max(_usual, UnreadBytes > 0 || room == 0 ? room + 1 : 0);
        BufferBlock before = last;
        while (offered < wanted && count < MostBlocks)
        {
            BufferBlock next = connection.Loop.Buffers.RentBlock(isLarge: true);
            next.Follow(before);
            vectors[count++] = new IoVector { Base = next.Start, Length = next.Whole.Length };
            offered += next.Whole.Length;
            before = next;
        }

        nint received = Receive(vectors, count);
        isFull = received == offered;
        Add(Math.Max(received, 0), before);
        return received;
    }

    /// <inheritdoc/>
    public Span<byte> Room(int wantedBytes)
    {
        bool isLarge = wantedBytes > BufferPool.BlockSizeBytes;
        BufferBlock last = _last ?? Begin(isLarge);
        if (_end == last.Whole.Length)
        {
            BufferBlock next = connection.Loop.Buffers.RentBlock(isLarge);
            next.Follow(last);
            last.TailOf = null;
            _last = last = next;
            _end = 0;
        }

        return last.Whole.Span[_end..];
    }

    /// <inheritdoc/>
    public void Add(int bytes)
    {
        _end += bytes;
        UnreadBytes += bytes;
        _hasNews = true;
    }

    /// <summary>The connection has looked at all bytes, and taken those at the front.</summary>
    /// <param name="bytes">How many it has taken.</param>
    /// <param name="looksAgain">It paused, and looks again when it goes on.</param>
    public void Take(long bytes, bool looksAgain)
    {
        _usual = UnreadBytes;
        _hasNews = looksAgain && bytes < UnreadBytes;
        UnreadBytes -= bytes;
        long start = _start + bytes;
        while (_first != _last && start >= _first!.Whole.Length)
        {
            BufferBlock taken = _first;
            start -= taken.Whole.Length;
            _first = (BufferBlock)taken.Next!;
            taken.Drop();
        }

        _start = (int)start;
    }

    /// <summary>The connection has looked at its bytes: the blocks go back when none are left, and the rest is counted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Settle()
    {
        if (UnreadBytes > 0 || HeldBytes > 0 || connection.HiddenBytes > 0)
        {
            Count();
        }

        ReturnIfEmpty();
    }

    public void ReturnIfEmpty()
    {
        if (UnreadBytes == 0 && _last is { } last)
        {
            if (last.IsKept && last.Whole.Length - _end >= WorthyRestBytes)
            {
                last.TailOf = this; // the next bytes go behind those that are kept, instead of into a block of their own
            }
            else
            {
                ReturnAll();
            }
        }
    }

    /// <inheritdoc/>
    public override void OnTailAlone()
    {
        if (UnreadBytes == 0)
        {
            ReturnAll();
        }
    }

    /// <summary>Drops all bytes.</summary>
    public void Drop()
    {
        if (HeldBytes > 0)
        {
            connection.Loop.Partials.Release(this);
        }

        if (_last is not null)
        {
            UnreadBytes = 0;
            ReturnAll();
        }
    }

    /// <summary>The connection does not read for now.</summary>
    public void Excuse() => connection.Loop.Partials.Excuse(this);

    public override void OnRefused(PartialFault fault) => connection.OnPartialRefused(fault);

    private BufferBlock Begin(bool isLarge)
    {
        _first = _last = connection.Loop.Buffers.RentBlock(isLarge);
        _last.Follow(null);
        _start = _end = 0;
        return _last;
    }

    private nint Receive(IoVector* vectors, int count)
    {
        connection.Loop.Counters.Receives++;
        nint received;
        if (count == 1)
        {
            received = LibC.recv(connection.Descriptor, vectors[0].Base, vectors[0].Length, DontWait);
        }
        else
        {
            MessageHeader header = new() { Vectors = vectors, VectorCount = count };
            received = LibC.recvmsg(connection.Descriptor, &header, DontWait);
        }

        return received < 0 ? -Marshal.GetLastPInvokeError() : received;
    }

    /// <summary>Bytes have come into the last block and those behind it. The blocks that they have not reached go back.</summary>
    /// <param name="bytes">How many.</param>
    /// <param name="offered">The last block that was offered.</param>
    private void Add(long bytes, BufferBlock offered)
    {
        BufferBlock last = _last!;
        UnreadBytes += bytes;
        _hasNews |= bytes > 0;
        long end = _end + bytes;
        while (end > last.Whole.Length)
        {
            end -= last.Whole.Length;
            last.TailOf = null;
            last = (BufferBlock)last.Next!;
        }

        _end = (int)end;
        _last = last;
        for (BufferBlock? spare = last == offered ? null : (BufferBlock)last.Next!; spare is not null;)
        {
            BufferBlock? next = spare == offered ? null : (BufferBlock)spare.Next!; // a block that goes back has no next one
            spare.Drop();
            spare = next;
        }
    }

    private void ReturnAll()
    {
        BufferBlock? block = _first;
        BufferBlock last = _last!;
        _first = _last = null;
        _hasNews = false;
        last.TailOf = null;
        while (block is not null)
        {
            BufferBlock? next = block == last ? null : (BufferBlock)block.Next!;
            block.Drop();
            block = next;
        }
    }

    /// <summary>Not on the path of messages that come whole.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Count()
    {
        if (connection.IsOfStranger)
        {
            connection.Loop.Partials.Hold(this, UnreadBytes + connection.HiddenBytes, isRead: !connection.IsReadingPaused);
        }
        else if (HeldBytes > 0)
        {
            connection.Loop.Partials.Release(this); // the peer was a stranger until this message
        }
    }
}
