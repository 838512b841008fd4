using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Client;

/// <summary>Gets the messages of one channel; on the loop.</summary>
internal interface IChannelOwner
{
    void OnChunk(in MessageView message);

    void OnClosed();

    void OnError(CocaineException error);

    /// <summary>The connection has ended before the channel did.</summary>
    void OnLost(string reason);
}

/// <summary>The client's side of one connection: passes the messages of each channel to the channel's owner. Lives on a loop.</summary>
internal sealed class ClientConnection(EventLoop loop, int descriptor) : MessageConnection(loop, descriptor, ProtocolLimits.Default)
{
    private readonly ChannelTable<IChannelOwner> _channels = new();
    private readonly List<Action> _waiting = [];  // called when the written messages have left
    private ulong _lastChannel;
    private int _holders;      // calls whose readers are slower than the node

    /// <summary>Why the connection ended; null while it is open.</summary>
    public string? Ended { get; private set; }

    /// <summary>The first message must show that this client knows the modern families.</summary>
    public bool IsFirst => _lastChannel == 0;

    /// <summary>Opens a new channel for this owner.</summary>
    public ulong Open(IChannelOwner owner)
    {
        _channels.Add(++_lastChannel, owner);
        return _lastChannel;
    }

    /// <summary>Takes a channel away from its owner; later messages of the channel are dropped.</summary>
    public bool Forget(ulong channel) => _channels.Remove(channel, out _);

    /// <summary>
    /// A reader is behind: the connection reads no more until this reader, and every other one that is behind, has let go.
    /// </summary>
    public void HoldBack()
    {
        if (_holders++ == 0)
        {
            PauseReading();
        }
    }

    public void LetGo()
    {
        if (--_holders == 0)
        {
            ResumeReading();
        }
    }

    /// <summary>Calls once when the written messages have left; on the loop.</summary>
    public void WaitForRoom(Action onRoom) => _waiting.Add(onRoom);

    protected override void OnSent()
    {
        if (_waiting.Count > 0)
        {
            foreach (Action onRoom in _waiting)
            {
                onRoom();
            }

            _waiting.Clear();
        }
    }

    protected override void OnMessage(in MessageView message, HeaderStatus headers)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        if (!_channels.TryGet(layout.Channel, out IChannelOwner? owner))
        {
            return;
        }

        switch (layout.Type)
        {
            case MessageType.Chunk:
                owner.OnChunk(in message);
                break;
            case MessageType.Error when layout.Shape == ArgumentShape.Error:
                _channels.Remove(layout.Channel, out _);
                owner.OnError(ErrorOf(in message, headers));
                break;
            case MessageType.Close:
                _channels.Remove(layout.Channel, out _);
                owner.OnClosed();
                break;
            default:
                Close("the node sent a message that is no part of an answer");
                break;
        }
    }

    private CocaineException ErrorOf(in MessageView message, HeaderStatus status)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        ErrorHeaders headers = status == HeaderStatus.Ok ? Headers.OfError : default;
        return new CocaineException(layout.Category, layout.Code, System.Text.Encoding.UTF8.GetString(message.Text))
        {
            JobId = headers.JobId,
            RetryAfter = headers.RetryAfterS > 0 ? TimeSpan.FromSeconds(headers.RetryAfterS) : null,
        };
    }

    protected override void OnMalformed(ulong? channel, int code, string problem) =>
        Ended ??= $"the node sent what is no message: {problem}";

    protected override void OnClosed(string reason)
    {
        Ended ??= reason;
        foreach (IChannelOwner owner in _channels.TakeAll())
        {
            owner.OnLost(Ended);
        }
    }
}
