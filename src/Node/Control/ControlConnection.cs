using System.Text;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Doors;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Node.Control;

/// <summary>One client of the control service. It lives on the loop; methods run on other threads and post their answers.</summary>
internal sealed class ControlConnection : DoorConnection
{
    /// <summary>The most calls at the same time: a command has one.</summary>
    private const int MaxCalls = 64;

    /// <summary>Unsent answers from which on a stream waits for its reader.</summary>
    private const long HighOutputBytes = 1 << 20;

    private const int LongestName = 64;

    private readonly ControlMethods _methods;
    private readonly Action<ControlConnection> _closed;
    private readonly Dictionary<ulong, ControlCall> _calls = [];
    private readonly List<TaskCompletionSource> _waiting = []; // writers that wait, at most one for each stream
    private ulong _highestChannel;

    /// <param name="service">The service.</param>
    /// <param name="keeper">The node's rules.</param>
    /// <param name="descriptor">The connected socket.</param>
    /// <param name="isTrusted">The peer is root or the node's own user.</param>
    /// <param name="closed">Called at the end.</param>
    public ControlConnection(
        (ControlMethods Methods, EventLoop Loop) service, Doorkeeper keeper, int descriptor, bool isTrusted,
        Action<ControlConnection> closed)
        : base(service.Loop, descriptor, ProtocolLimits.Default)
    {
        _methods = service.Methods;
        _closed = closed;
        Gate = new ActionGate(keeper, this, "control") { IsTrusted = isTrusted };
    }

    /// <summary>A connection over TCP: its caller has the rights that rules give, and no others.</summary>
    /// <param name="service">The service.</param>
    /// <param name="keeper">The node's rules.</param>
    /// <param name="peer">The connected socket and its session.</param>
    /// <param name="closed">Called at the end.</param>
    public ControlConnection(
        (ControlMethods Methods, EventLoop Loop) service, Doorkeeper keeper, SecuredPeer peer, Action<ControlConnection> closed)
        : base(service.Loop, peer.Descriptor, ProtocolLimits.Default)
    {
        _methods = service.Methods;
        _closed = closed;
        Gate = new ActionGate(keeper, this, "control.tcp") { NeedsRules = true };
        Secure(peer.Session, peer.First.Span, peer.Peer);
    }

    /// <summary>Decides about the peer's calls.</summary>
    public ActionGate Gate { get; }

    internal override bool IsBusy => _calls.Count > 0;

    /// <summary>Starts to answer, and closes after so much silence without a call, ms.</summary>
    public void Begin(long idleMs)
    {
        Open();
        CloseWhenIdle(idleMs);
    }

    /// <summary>
    /// Other rules hold, for the calls under way too. False when the caller may do nothing any more: then the connection must close.
    /// </summary>
    public bool TryStay()
    {
        if (!Gate.TryStay())
        {
            return false;
        }

        if (!Gate.Rights.MayEnter)
        {
            Gate.Rights.TellClosed();
            return false;
        }

        foreach (ControlCall call in _calls.Values)
        {
            call.Rights = Gate.Rights;
        }

        return true;
    }

    /// <summary>Sends a chunk of an answer; completes when there is room for the next one, or nobody wants it.</summary>
    public Task WriteAsync(ControlCall call, byte[] chunk)
    {
        TaskCompletionSource done = new();
        Loop.Post(() =>
        {
            if (IsOpen && _calls.ContainsKey(call.Channel))
            {
                MessageWriter.WriteChunk(Output, call.Channel, new Payload(chunk), PeerSpeaksBin);
                ScheduleSend();
                if (Output.PendingBytes > HighOutputBytes)
                {
                    _waiting.Add(done);
                    return;
                }
            }

            NodeThreads.Complete(done);
        });
        return done.Task;
    }

    /// <summary>The answer is whole; on the loop.</summary>
    public void End(ControlCall call)
    {
        if (IsOpen && Forget(call.Channel))
        {
            MessageWriter.WriteClose(Output, call.Channel);
            ScheduleSend();
        }
    }

    public void EndWithError(ControlCall call, int code, string reason)
    {
        if (IsOpen && Forget(call.Channel))
        {
            Refuse(call.Channel, code, reason);
        }
    }

    protected override MessageRoom RoomOf(ulong channel) => _calls.ContainsKey(channel) ? MessageRoom.Payload
        : channel > _highestChannel ? MessageRoom.Opening : _highestChannel > 0 ? MessageRoom.Payload : MessageRoom.Short;

    protected override void OnOpeningRefused(ulong channel, string problem)
    {
        _highestChannel = channel;
        Refuse(channel, ErrorCodes.TooLarge, problem);
    }

    protected override void OnMessage(in MessageView message, HeaderStatus headers)
    {
        ulong channel = message.Layout.Channel;
        if (IsTurnedAway(channel))
        {
            return;
        }

        if (_calls.TryGetValue(channel, out ControlCall? call))
        {
            OnOpenChannel(call, in message);
        }
        else if (channel > _highestChannel)
        {
            _highestChannel = channel;
            if (!IsRefused(in message.Layout))
            {
                OnNewChannel(in message);
            }
        }

        else if (channel == 0 && !IsRefusedAsOld(in message.Layout))
        {
            Refuse(0, ErrorCodes.BadRequest, OldDialect.NoChannel);
        }

        // Otherwise the message is late: the client wrote more after the node's terminal message.
    }

    protected override void OnMalformed(ulong? channel, int code, string problem)
    {
        if (channel is { } known)
        {
            Drop(known);
            Refuse(known, code, problem);
        }
    }

    protected override void OnClosed(string reason)
    {
        base.OnClosed(reason);
        Gate.End();
        _closed(this);
        foreach (ControlCall call in _calls.Values)
        {
            call.Abandon();
        }

        _calls.Clear();
        ReleaseWriters();
    }

    protected override void OnSent() => ReleaseWriters();

    private void OnNewChannel(in MessageView message)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        if (layout.Type == MessageType.Error && layout.Shape == ArgumentShape.Empty)
        {
            Run(Begin(new ControlCall(this, layout.Channel, "info"))); // like the method of an app: the answer to `info` without a name
        }
        else if (layout.Type != MessageType.Chunk || layout.Shape != ArgumentShape.Data || layout.ArgumentCount > 2)
        {
            Refuse(layout.Channel, ErrorCodes.BadRequest,
                "the service node has the methods 0 (enqueue, of an event and at most a tag) and 1 (info)");
        }
        else if (_calls.Count >= MaxCalls)
        {
            Refuse(layout.Channel, ErrorCodes.ResourceError, $"{MaxCalls} calls are under way on this connection");
        }
        else
        {
            string name = message.ShortData.Length <= LongestName ? Encoding.UTF8.GetString(message.ShortData) : "";
            if (ControlMethods.Names.Contains(name))
            {
                Begin(new ControlCall(this, layout.Channel, name));
            }
            else
            {
                Refuse(layout.Channel, ErrorCodes.NotFound, ControlMethods.NoMethod(name));
            }
        }
    }

    private ControlCall Begin(ControlCall call)
    {
        _calls.Add(call.Channel, call);
        return call;
    }

    private void Run(ControlCall call)
    {
        ReadOnlyMemory<byte> request = call.Begin();
        _ = NodeThreads.Run(() => _methods.RunAsync(call, request));
    }

    private void OnOpenChannel(ControlCall call, in MessageView message)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        switch (layout.Type)
        {
            case MessageType.Chunk when layout.Shape == ArgumentShape.Data && !call.IsRunning:
                Payload data = message.Data;
                if (!call.TryAdd(data.IsContiguous ? data.Span : data.ToArray()))
                {
                    Drop(call.Channel);
                    Refuse(call.Channel, ErrorCodes.TooLarge, $"the request is longer than {ControlMessages.MaxRequestBytes} bytes");
                }

                break;
            case MessageType.Error when layout.Shape == ArgumentShape.Error:
                Drop(call.Channel);
                MessageWriter.WriteError(Output, layout.Channel, layout.Category, layout.Code, message.Text); // each needs a terminal one
                ScheduleSend();
                break;
            case MessageType.Close when !call.IsRunning:
                Run(call);
                break;
            case MessageType.Close:
                break; // closed twice: harmless
            default:
                Drop(call.Channel);
                Refuse(call.Channel, ErrorCodes.BadRequest, "a message that the open channel does not take");
                break;
        }
    }

    private void Drop(ulong channel)
    {
        if (_calls.Remove(channel, out ControlCall? call))
        {
            call.Abandon();
            OnQuiet();
        }
    }

    private bool Forget(ulong channel)
    {
        bool had = _calls.Remove(channel);
        OnQuiet();
        return had;
    }

    private void Refuse(ulong channel, int code, string reason)
    {
        MessageWriter.WriteError(Output, channel, ErrorCodes.Category, code, reason);
        ScheduleSend();
        if (Output.PendingBytes > HighOutputBytes * 8)
        {
            Close("the client sends and does not read");
        }
    }

    private void ReleaseWriters()
    {
        _waiting.ForEach(NodeThreads.Complete);
        _waiting.Clear();
    }
}
