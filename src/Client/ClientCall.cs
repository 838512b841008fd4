using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Client;

/// <summary>A call whose request and answer are streamed. Dispose it: a call that has not ended is cancelled by that.</summary>
public sealed class ClientCall : IAsyncDisposable
{
    /// <summary>
    /// Answer chunks that wait for their reader, from which the connection is not read: 256 chunks, so that a slow reader does not fill
    /// the memory.
    /// </summary>
    private const int MaxWaitingChunks = 256;

    private readonly CocaineClient _client;
    private readonly Channel<byte[]> _answer = System.Threading.Channels.Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Owner _owner;
    private ulong _channel;
    private int _waiting;

    internal ClientCall(CocaineClient client, byte[] name, CallOptions options)
    {
        _client = client;
        _owner = new Owner(this);
        _client.Loop.Post(() => Start(name, options));
    }

    /// <summary>Sends a chunk of the request.</summary>
    public Task WriteAsync(ReadOnlyMemory<byte> chunk) => OnLoop(connection =>
        MessageWriter.WriteChunk(connection.Output, _channel, new Payload(chunk.Span), bin: true));

    /// <summary>Ends the request.</summary>
    public Task CompleteAsync() => OnLoop(connection => MessageWriter.WriteClose(connection.Output, _channel));

    /// <summary>The chunks of the answer as they come.</summary>
    /// <exception cref="CocaineException">The answer ended with an error.</exception>
    /// <exception cref="ConnectionLostException">The connection ended before the answer.</exception>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        while (await _answer.Reader.WaitToReadAsync(cancellation).ConfigureAwait(false))
        {
            while (_answer.Reader.TryRead(out byte[]? chunk))
            {
                if (Interlocked.Decrement(ref _waiting) == MaxWaitingChunks / 2)
                {
                    _client.Loop.Post(_client.Connection.ResumeReading);
                }

                yield return chunk;
            }
        }
    }

    /// <summary>Gives up when the answer has not ended: the job is cancelled.</summary>
    public async ValueTask DisposeAsync()
    {
        await OnLoop(connection =>
        {
            connection.ResumeReading();
            if (connection.Forget(_channel))
            {
                MessageWriter.WriteError(connection.Output, _channel, ErrorCodes.FrameworkCategory, 1, "the client gave up"u8);
            }
        }).ConfigureAwait(false);
        _answer.Writer.TryComplete();
    }

    private void Start(byte[] name, CallOptions options)
    {
        ClientConnection connection = _client.Connection;
        if (connection.Ended is { } reason)
        {
            _owner.OnLost(reason);
            return;
        }

        Span<byte> headers = stackalloc byte[CallOptions.MaxEncodedBytes];
        bool first = connection.IsFirst;
        _channel = connection.Open(_owner);
        MessageWriter.WriteEnqueue(connection.Output, _channel, name, headers[..options.Encode(headers)], first);
        connection.ScheduleSend();
    }

    private Task OnLoop(Action<ClientConnection> write)
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _client.Loop.Post(() =>
        {
            if (_client.Connection.Ended is null)
            {
                write(_client.Connection);
                _client.Connection.ScheduleSend();
            }

            done.SetResult();
        });
        return done.Task;
    }

    private sealed class Owner(ClientCall call) : IChannelOwner
    {
        public void OnChunk(in MessageView message)
        {
            call._answer.Writer.TryWrite(message.Data.ToArray());
            if (Interlocked.Increment(ref call._waiting) >= MaxWaitingChunks)
            {
                call._client.Connection.PauseReading();
            }
        }

        public void OnClosed() => call._answer.Writer.TryComplete();

        public void OnError(int category, int code, string reason) => call._answer.Writer.TryComplete(new CocaineException(category, code, reason));

        public void OnLost(string reason) => call._answer.Writer.TryComplete(new ConnectionLostException(reason));
    }
}
