using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Client;

/// <summary>Writes one message of a streamed request; on the loop. False when the call has ended.</summary>
internal delegate bool RequestWriter(ReadOnlyMemory<byte> chunk, bool isEnd);

/// <summary>The reason for which a write is not done yet.</summary>
internal enum WriteWait
{
    None,

    /// <summary>Its chunk is written, and much else is on its way to the node too.</summary>
    ForRoom,

    /// <summary>Its chunk is not written: the node has asked to hold the request.</summary>
    ForNode,
}

/// <summary>A write of a streamed request on its way to the loop, and its writer's wait: for the node to go on, and for room.</summary>
internal sealed class StreamWrite : LoopWork
{
    /// <summary>Bytes on their way to the node before writes wait: as many as some sends take, so that the socket never runs dry.</summary>
    private const int HighOutputBytes = 1 << 20;

    private readonly ClientConnection _connection;
    private readonly RequestWriter _writer;
    private readonly Signal<bool> _wait;
    private readonly Action _onRoom;     // made once, so that a wait allocates nothing
    private ReadOnlyMemory<byte> _chunk;
    private bool _isEnd;
    private WriteWait _waits;            // only the loop uses it
    private bool _isHeld;                // only the loop uses it: the node has asked to hold this call's request

    public StreamWrite(ClientConnection connection, bool runInline, RequestWriter writer)
    {
        _connection = connection;
        _writer = writer;
        _wait = new Signal<bool>(runInline);
        _onRoom = OnRoom;
    }

    /// <summary>No write is under way.</summary>
    public bool IsIdle => _wait.IsIdle;

    public ValueTask Begin(ReadOnlyMemory<byte> chunk, bool isEnd)
    {
        _wait.Begin();
        ValueTask done = _wait.VoidTask;
        _chunk = chunk;
        _isEnd = isEnd;
        _connection.Loop.Post(this);
        return done;
    }

    public override void Run()
    {
        if (_isHeld && !_isEnd)
        {
            _waits = WriteWait.ForNode;
        }
        else
        {
            Write();
        }
    }

    /// <summary>The node asks to hold the request, or to go on.</summary>
    public void OnHold(bool hold)
    {
        _isHeld = hold;
        if (!hold && _waits == WriteWait.ForNode)
        {
            Write();
        }
    }

    /// <summary>The call has ended: there is no more reason to wait. A chunk that is not written is dropped.</summary>
    public void OnEnded()
    {
        _isHeld = false;
        if (_waits != WriteWait.None)
        {
            Done();
        }
    }

    private void Write()
    {
        // A write after the end is dropped: the reader learns how the call ended.
        bool written = _writer(_chunk, _isEnd);
        if (written && _connection.Output.PendingBytes > HighOutputBytes)
        {
            _chunk = default;
            _waits = WriteWait.ForRoom;
            _connection.WaitForRoom(_onRoom);
        }
        else
        {
            Done();
        }
    }

    /// <summary>The written bytes have left.</summary>
    private void OnRoom()
    {
        if (_waits == WriteWait.ForRoom)
        {
            Done();
        }
    }

    private void Done()
    {
        _chunk = default;
        _waits = WriteWait.None;
        _wait.Complete(true, null);
    }
}
