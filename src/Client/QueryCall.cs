using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Client;

/// <summary>A call whose only answer is one message: the info of an app, or the addresses of a name.</summary>
/// <param name="connection">Carries the call.</param>
/// <param name="name">The name that a locator shall find; null asks an app for its info.</param>
internal sealed class QueryCall(ClientConnection connection, byte[]? name = null) : LoopWork, IChannelOwner
{
    private const byte OneHeader = 0x91;
    private const byte Info = 1; // the method of an app's door, as docs/protocol.md numbers it

    private readonly TaskCompletionSource<byte[]> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ulong _channel;

    /// <summary>The arguments array of the answer.</summary>
    public Task<byte[]> Answer => _answer.Task;

    public override void Run()
    {
        if (connection.Ended is { } reason)
        {
            OnLost(reason);
            return;
        }

        byte[] headers = connection.Credential.Length == 0 ? [] : [OneHeader, .. connection.Credential];
        if (name is null)
        {
            MessageWriter.WriteEmpty(connection.Output, connection.NextChannel, Info, headers);
        }
        else
        {
            MessageWriter.WriteEnqueue(connection.Output, connection.NextChannel, name, headers, connection.IsFirst);
        }

        _channel = connection.Open(this, isCall: name is not null);
        connection.ScheduleSend();
    }

    public void OnChunk(in MessageView message)
    {
        connection.Forget(_channel);
        _answer.TrySetResult(message.Arguments.ToArray());
    }

    public void OnClosed() => _answer.TrySetException(new ConnectionLostException("the node closed the call without an answer"));

    public void OnError(CocaineException error) => _answer.TrySetException(error);

    public void OnLost(string reason) => _answer.TrySetException(new ConnectionLostException(reason));
}
