using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Client;

/// <summary>A call of the method info: its only answer is one map.</summary>
internal sealed class InfoCall(CocaineClient client) : LoopWork, IChannelOwner
{
    private readonly TaskCompletionSource<byte[]> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ulong _channel;

    public Task<byte[]> Answer => _answer.Task;

    public override void Run()
    {
        if (client.Connection.Ended is { } reason)
        {
            OnLost(reason);
            return;
        }

        _channel = client.Connection.Open(this);
        MessageWriter.WriteEmpty(client.Connection.Output, _channel, 1);
        client.Connection.ScheduleSend();
    }

    public void OnChunk(in MessageView message)
    {
        client.Connection.Forget(_channel);
        _answer.TrySetResult(message.Arguments[1..].ToArray()); // behind the array's head of one byte: one argument
    }

    public void OnClosed() => _answer.TrySetException(new ConnectionLostException("the node closed the call without an answer"));

    public void OnError(CocaineException error) => _answer.TrySetException(error);

    public void OnLost(string reason) => _answer.TrySetException(new ConnectionLostException(reason));
}
