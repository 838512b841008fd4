using NetMQ;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>The frames of one message, or some of them, in their batch.</summary>
internal readonly ref struct FrameList(Span<Msg> frames)
{
    private readonly Span<Msg> _frames = frames;

    public int Count => _frames.Length;

    public ReadOnlySpan<byte> this[int index] => _frames[index].Slice();

    /// <summary>The frames from an index on.</summary>
    public FrameList From(int index) => new(_frames[index..]);

    public FrameList Slice(int index, int count) => new(_frames.Slice(index, count));
}
