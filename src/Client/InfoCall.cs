using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Client;

/// <summary>A call of the method info: its only answer is one map.</summary>
internal sealed class InfoCall(ClientConnection connection) : LoopWork, IChannelOwner
{
    private readonly TaskCompletionSource<byte[]> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ulong _channel;

    public Task<byte[]> Answer => _answer.Task;

    public override void Run()
    {
        if (connection.Ended is { } reason)
        {
            OnLost(reason);
            return;
        }

        MessageWriter.WriteEmpty(connection.Output, connection.NextChannel, 1);
        _channel = connection.Open(this);
        connection.ScheduleSend();
    }

    public void OnChunk(in MessageView message)
    {
        connection.Forget(_channel);
        _answer.TrySetResult(message.Arguments[1..].ToArray()); // after the array's head of one byte: one argument
    }

    public void OnClosed() => _answer.TrySetException(new ConnectionLostException("the node closed the call without an answer"));

    public void OnError(CocaineException error) => _answer.TrySetException(error);

    public void OnLost(string reason) => _answer.TrySetException(new ConnectionLostException(reason));
}
