using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Client;

/// <summary>One write of a streamed request on its way to the loop, and its writer's wait for room.</summary>
internal sealed class StreamWrite(CocaineClient client, bool runInline) : LoopWork
{
    /// <summary>Bytes on their way to the node before writes wait: some sends' worth, so that the socket never runs dry.</summary>
    private const int HighOutputBytes = 1 << 20;

    private readonly Signal<bool> _wait = new(runInline);
    private StreamCall _call = null!;    // from Begin on
    private ReadOnlyMemory<byte> _chunk;
    private bool _isEnd;
    private bool _waitsForRoom;          // the loop's

    /// <summary>No write is under way.</summary>
    public bool IsIdle => _wait.IsIdle;

    public ValueTask Begin(StreamCall call, ReadOnlyMemory<byte> chunk, bool isEnd)
    {
        _wait.Begin();
        ValueTask done = _wait.VoidTask;
        _call = call;
        _chunk = chunk;
        _isEnd = isEnd;
        client.Loop.Post(this);
        return done;
    }

    public override void Run()
    {
        // A write after the end is dropped: the reader is told how the call ended.
        bool written = _call.WriteOne(_chunk, _isEnd);
        _chunk = default;
        if (written && client.Connection.Output.PendingBytes > HighOutputBytes)
        {
            _waitsForRoom = true;
            client.Connection.WaitForRoom(this);
        }
        else
        {
            _wait.Complete(true, null);
        }
    }

    /// <summary>The written bytes have left, or the call has ended.</summary>
    public void OnRoom()
    {
        if (_waitsForRoom)
        {
            _waitsForRoom = false;
            _wait.Complete(true, null);
        }
    }
}
