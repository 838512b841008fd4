using Cocaine.Fast.Transport.Loop;
using NetMQ;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>
/// Whole messages on their way from a socket to a loop: filled on the poller's thread, posted, read on the loop, given back. A socket has a
/// fixed number of batches, and this number is its back-pressure: when all are in use, nobody reads the socket, its high-water mark is
/// reached, and the peers wait.
/// </summary>
internal sealed class MessageBatch : LoopWork
{
    /// <summary>Frames after which a batch is sent off: enough for tens of messages to share one wake-up.</summary>
    private const int FullFrames = 512;

    /// <summary>Bytes after which a batch is sent off: a loop copies so many in well under a millisecond.</summary>
    private const int FullBytes = 256 << 10;

    /// <summary>The most frames of a message. One more is kept to show that there were too many; the rest is read and dropped.</summary>
    public const int MaxFramesPerMessage = 1024;

    private readonly Action<MessageBatch> _received;
    private Msg[] _frames = new Msg[64];
    private int _count;
    private int _next;

    /// <param name="received">Gets the batch on the loop.</param>
    public MessageBatch(Action<MessageBatch> received)
    {
        _received = received;
        Prepare(0);
    }

    public bool IsEmpty => _count == 0;

    /// <summary>Takes messages from the socket, up to a full batch; on the poller's thread.</summary>
    public void Fill(NetMQSocket socket)
    {
        int bytes = 0;
        while (_count < FullFrames && bytes < FullBytes)
        {
            int first = _count;
            int frames = 0;
            do
            {
                // Past the bound the last slot is used for every further frame.
                if (frames <= MaxFramesPerMessage)
                {
                    Reserve();
                }
                else
                {
                    _count--;
                }

                if (!socket.TryReceive(ref _frames[_count], TimeSpan.Zero))
                {
                    if (_count > first)
                    {
                        _frames[_count - 1].ResetFlags(MsgFlags.More); // never: messages come whole, but an end must be
                    }

                    return;
                }

                bytes += _frames[_count].Size;
                frames++;
                _count++;
            }
            while (_frames[_count - 1].HasMore);
        }
    }

    /// <summary>
    /// The next message, which stays the next until <see cref="Skip"/>. Its frames are valid until the batch is given back.
    /// </summary>
    public bool TryPeek(out FrameList message)
    {
        if (_next == _count)
        {
            message = default;
            return false;
        }

        message = new FrameList(_frames.AsSpan(_next, EndOfNext() - _next));
        return true;
    }

    /// <summary>Goes on to the message after the next.</summary>
    public void Skip() => _next = EndOfNext();

    /// <summary>Runs on the loop.</summary>
    public override void Run() => _received(this);

    /// <summary>Empties the batch for another filling; on the loop, before the batch is given back.</summary>
    public void Clear()
    {
        for (int i = 0; i < _count; i++)
        {
            _frames[i].Close();
            _frames[i].InitEmpty();
        }

        _count = _next = 0;
    }

    private int EndOfNext()
    {
        int end = _next;
        while (_frames[end++].HasMore)
        {
        }

        return end;
    }

    private void Reserve()
    {
        if (_count == _frames.Length)
        {
            Array.Resize(ref _frames, _count * 2);
            Prepare(_count);
        }
    }

    private void Prepare(int from)
    {
        for (int i = from; i < _frames.Length; i++)
        {
            _frames[i].InitEmpty();
        }
    }
}
