using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Client;

/// <summary>Writes one message of a streamed request; on the loop. False when the call has ended.</summary>
internal delegate bool RequestWriter(ReadOnlyMemory<byte> chunk, bool isEnd);

/// <summary>One write of a streamed request on its way to the loop, and its writer's wait for room.</summary>
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
    private bool _waitsForRoom;          // only the loop uses it

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
        // A write after the end is dropped: the reader learns how the call ended.
        bool written = _writer(_chunk, _isEnd);
        _chunk = default;
        if (written && _connection.Output.PendingBytes > HighOutputBytes)
        {
            _waitsForRoom = true;
            _connection.WaitForRoom(_onRoom);
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
