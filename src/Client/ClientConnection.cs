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

    /// <summary>The node asks to hold the request's chunks (true), or to go on (false).</summary>
    void OnHold(bool hold)
    {
    }

    /// <summary>The connection has ended before the channel did.</summary>
    void OnLost(string reason);
}

/// <summary>The client's side of one connection: passes the messages of each channel to the channel's owner. Lives on a loop.</summary>
internal sealed class ClientConnection(EventLoop loop, int descriptor) : MessageConnection(loop, descriptor, ProtocolLimits.Default)
{
    private readonly ChannelTable<IChannelOwner> _channels = new();
    private readonly List<Action> _waiting = [];  // called when the written messages have left
    private ulong _lastChannel;
    private int _holders;      // calls whose readers are behind; always 0 once the node has flow control for each call
    private bool _hasOffered;  // the node was told that this client has flow control for each call
    private bool _hasFlow;     // the node has it too; set before any chunk of a call's answer comes

    /// <summary>Seals the calls; null when they are not sealed.</summary>
    public ClientSealer? Sealer { get; init; }

    /// <summary>The encoded header that goes with each call; empty without a token.</summary>
    public byte[] Credential { get; init; } = [];

    /// <summary>Why the connection ended; null while it is open.</summary>
    public string? Ended { get; private set; }

    /// <summary>Called once when the connection has ended, after its calls; set on the loop while it is open.</summary>
    public Action? WhenEnded { get; set; }

    /// <summary>The first call must show that this client knows the modern families.</summary>
    public bool IsFirst { get; private set; } = true;

    /// <summary>The channel that <see cref="Open"/> gives next.</summary>
    public ulong NextChannel => _lastChannel + 1;

    /// <summary>Opens a new channel for this owner, which has written the first message.</summary>
    /// <param name="owner">Gets the channel's messages.</param>
    /// <param name="isCall">The message has a name, in the form that <see cref="IsFirst"/> asks for.</param>
    public ulong Open(IChannelOwner owner, bool isCall = true)
    {
        IsFirst &= !isCall;
        _channels.Add(++_lastChannel, owner);
        return _lastChannel;
    }

    /// <summary>Takes a channel away from its owner; later messages of the channel are dropped.</summary>
    public bool Forget(ulong channel) => _channels.Remove(channel, out _);

    /// <summary>True once: the call that asks has to offer flow control to the node.</summary>
    public bool TakeOffer() => !_hasOffered && (_hasOffered = true);

    /// <summary>
    /// The reader of a call is behind. A node that has flow control holds this call's answer. Otherwise the connection reads no more until
    /// this reader, and every other one that is behind, has let go.
    /// </summary>
    public void HoldBack(ulong channel)
    {
        if (_hasFlow)
        {
            MessageWriter.WriteFlow(Output, FlowControl.ClientControlChannel, channel, hold: true);
            ScheduleSend();
        }
        else if (_holders++ == 0)
        {
            PauseReading();
        }
    }

    /// <summary>The reader of a call is no longer behind.</summary>
    /// <param name="channel">The call's channel; 0 when the call has ended, and there is nothing to go on with.</param>
    public void LetGo(ulong channel)
    {
        if (!_hasFlow)
        {
            if (--_holders == 0)
            {
                ResumeReading();
            }
        }
        else if (channel != 0)
        {
            MessageWriter.WriteFlow(Output, FlowControl.ClientControlChannel, channel, hold: false);
            ScheduleSend();
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
            if (layout.Channel == FlowControl.ClientControlChannel)
            {
                OnControl(in message);
            }

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

    /// <summary>
    /// A message on the channel that no call has. A node without flow control for each call may say anything there: the client ignores it.
    /// </summary>
    private void OnControl(in MessageView message)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        if (!_hasFlow)
        {
            _hasFlow = _hasOffered && layout is { Type: ControlType.Handshake, Shape: ArgumentShape.CodeText, Code: FlowControl.Version };
        }
        else if (layout.Type != ControlType.Flow)
        {
            return;
        }
        else if (!FlowControl.TryRead(in message, out ulong channel, out bool hold))
        {
            Close("the node sent a message of flow control without a channel, or without 1 or 0");
        }
        else if (_channels.TryGet(channel, out IChannelOwner? owner))
        {
            owner.OnHold(hold);
        }
    }

    private CocaineException ErrorOf(in MessageView message, HeaderStatus status)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        ErrorHeaders headers = status == HeaderStatus.Ok ? Headers.OfError : default;
        bool wasRefused = layout.Category == ErrorCodes.RefusedCategory;
        int category = wasRefused ? ErrorCodes.Category : layout.Category;
        return new CocaineException(category, layout.Code, System.Text.Encoding.UTF8.GetString(message.Text))
        {
            WasRefused = wasRefused,
            JobId = headers.JobId,
            RetryAfter = headers.RetryAfterS > 0 ? TimeSpan.FromSeconds(headers.RetryAfterS) : null,
        };
    }

    protected override void OnMalformed(ulong? channel, int code, string problem) =>
        Ended ??= $"the node sent what is no message: {problem}";

    protected override void OnClosed(string reason)
    {
        Ended ??= TlsFaults.OfEnd(reason);
        foreach (IChannelOwner owner in _channels.TakeAll())
        {
            owner.OnLost(Ended);
        }

        WhenEnded?.Invoke();
    }
}
