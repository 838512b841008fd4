using System.Buffers;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Drivers.ZeroMq.Wire;

/// <summary>The place of a frame's bytes in its message.</summary>
internal readonly record struct FramePlace(int Start, int Length);

/// <summary>The frames of one message, or some of them, where they were received. Valid during the call that gives them.</summary>
internal readonly ref struct FrameList
{
    /// <summary>A frame from here on is long: a job that keeps it can keep the memory in which it came.</summary>
    private const int LongBytes = 4 << 10;

    private readonly ReadOnlySpan<byte> _bytes;           // the message, when it lies in one piece; empty otherwise
    private readonly ReadOnlySequence<byte> _received;    // the message in the connection's blocks; empty when it was joined
    private readonly ReadOnlySpan<FramePlace> _places;

    /// <param name="bytes">The message in one piece, or nothing.</param>
    /// <param name="received">The message in the blocks of its connection, or nothing.</param>
    /// <param name="places">The places of the frames in the message.</param>
    public FrameList(ReadOnlySpan<byte> bytes, scoped in ReadOnlySequence<byte> received, ReadOnlySpan<FramePlace> places)
    {
        _bytes = bytes;
        _received = received;
        _places = places;
    }

    public int Count => _places.Length;

    /// <summary>The bytes of a frame. A frame across two blocks is copied: <see cref="PayloadAt"/> is for long ones.</summary>
    public ReadOnlySpan<byte> this[int index]
    {
        get
        {
            FramePlace place = _places[index];
            if (!_bytes.IsEmpty)
            {
                return _bytes.Slice(place.Start, place.Length);
            }

            ReadOnlySequence<byte> frame = _received.Slice(place.Start, place.Length);
            return frame.IsSingleSegment ? frame.FirstSpan : frame.ToArray();
        }
    }

    /// <summary>The length of a frame.</summary>
    public int LengthAt(int index) => _places[index].Length;

    /// <summary>The bytes of a frame for a job.</summary>
    public Payload PayloadAt(int index)
    {
        FramePlace place = _places[index];
        return !_bytes.IsEmpty && (place.Length < LongBytes || _received.IsEmpty)
            ? new Payload(_bytes.Slice(place.Start, place.Length))
            : new Payload(_received.Slice(place.Start, place.Length));
    }

    /// <summary>The frames from an index on.</summary>
    public FrameList From(int index) => new(_bytes, in _received, _places[index..]);

    public FrameList Slice(int index, int count) => new(_bytes, in _received, _places.Slice(index, count));
}
