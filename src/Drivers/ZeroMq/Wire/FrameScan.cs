using System.Buffers;

namespace Cocaine.Fast.Drivers.ZeroMq.Wire;

/// <summary>The result of a look for the next message.</summary>
internal enum MessageLook
{
    /// <summary>The message is not complete yet.</summary>
    More,

    /// <summary>A whole message.</summary>
    Whole,

    /// <summary>The head of a command is there, and perhaps all of it.</summary>
    Command,

    /// <summary>The bytes are no message, or one over the bounds.</summary>
    Bad,
}

/// <summary>
/// Finds the frames of a message at the front of the received bytes. The bytes may come in any pieces: each frame is looked at once, when
/// all of it is there.
/// </summary>
internal struct FrameScan(int maxBytes)
{
    private const int FewFrames = 8;

    // Joins a message that lies across two blocks; one for each thread, because a thread handles one message at a time.
    [ThreadStatic]
    private static byte[]? _scratch;

    private const int ScratchBytes = 16 << 10;

    private FramePlace[] _places = new FramePlace[FewFrames];
    private int _kept;      // frames with a place
    private bool _isWhole;  // the last frame was found

    /// <summary>The bytes of the frames that were found.</summary>
    public int End { get; private set; }

    /// <summary>The head of the command, after <see cref="MessageLook.Command"/>.</summary>
    public FrameHead Command { get; private set; }

    /// <summary>Looks for the end of the message, or of a command in its place.</summary>
    /// <param name="bytes">The bytes, from the message's first one on.</param>
    /// <param name="framing">The framing of the peer.</param>
    /// <param name="problem">The mistake, with <see cref="MessageLook.Bad"/>.</param>
    public MessageLook Look(in ReadOnlySequence<byte> bytes, Framing framing, out string? problem)
    {
        problem = null;
        while (!_isWhole)
        {
            HeadLook look = ReadHead(in bytes, framing, out FrameHead head);
            if (look != HeadLook.Whole)
            {
                problem = look == HeadLook.BadFlags ? "a frame has flags without a meaning"
                    : look == HeadLook.BadLength ? "a frame has no length" : null;
                return problem is null ? MessageLook.More : MessageLook.Bad;
            }

            if (head.IsCommand)
            {
                problem = End > 0 ? "a command lies between the frames of a message" : null;
                Command = head;
                return problem is null ? MessageLook.Command : MessageLook.Bad;
            }

            if (head.Length > maxBytes - End - head.Bytes)
            {
                problem = $"a message is longer than {maxBytes} bytes";
                return MessageLook.Bad;
            }

            int next = End + head.Bytes + (int)head.Length;
            if (next > bytes.Length)
            {
                return MessageLook.More;
            }

            Keep(new FramePlace(End + head.Bytes, (int)head.Length));
            End = next;
            _isWhole = !head.HasMore;
        }

        return MessageLook.Whole;
    }

    /// <summary>The message that was found, at the front of these bytes.</summary>
    public readonly FrameList Message(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySpan<FramePlace> places = _places.AsSpan(0, _kept);
        if (bytes.FirstSpan.Length >= End)
        {
            return new FrameList(bytes.FirstSpan[..End], in bytes, places);
        }

        if (End > ScratchBytes)
        {
            return new FrameList(default, in bytes, places);
        }

        byte[] scratch = _scratch ??= new byte[ScratchBytes];
        bytes.Slice(0, End).CopyTo(scratch);
        return new FrameList(scratch.AsSpan(0, End), default, places);
    }

    /// <summary>The message is done: the next one begins.</summary>
    public void Reset()
    {
        _isWhole = false;
        _kept = End = 0;
        if (_places.Length > 8 * FewFrames)
        {
            _places = new FramePlace[FewFrames]; // one long message does not cost the connection memory for ever
        }
    }

    private readonly HeadLook ReadHead(in ReadOnlySequence<byte> bytes, Framing framing, out FrameHead head)
    {
        ReadOnlySpan<byte> first = bytes.FirstSpan;
        if (End + FrameHead.MaxBytes <= first.Length || bytes.IsSingleSegment)
        {
            return FrameHead.Read(first[Math.Min(End, first.Length)..], framing, out head);
        }

        Span<byte> copy = stackalloc byte[FrameHead.MaxBytes];
        int count = (int)Math.Min(copy.Length, bytes.Length - End);
        bytes.Slice(End, count).CopyTo(copy);
        return FrameHead.Read(copy[..count], framing, out head);
    }

    /// <summary>The first frame over the bound is kept too: it shows that there were too many.</summary>
    private void Keep(FramePlace place)
    {
        if (_kept > WireLimits.MaxFrames)
        {
            return;
        }

        if (_kept == _places.Length)
        {
            Array.Resize(ref _places, _kept * 2);
        }

        _places[_kept++] = place;
    }
}
