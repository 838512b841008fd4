using System.Net;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Doors;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Node.Locator;

/// <summary>A client of the locator.</summary>
internal sealed class LocatorConnection : DoorConnection
{
    private const int Resolve = 0, Cluster = 3, Routing = 5, Uuid = 6;

    /// <summary>The silence after which a connection is closed: each question is answered at once.</summary>
    private const int IdleMs = 10_000;

    /// <summary>Unread answers from which on the connection ends: those to more questions than a client has.</summary>
    private const int MaxOutputBytes = 1 << 20;

    private readonly LocatorService _locator;
    private ulong _highestChannel;
    private bool _waitsForRoutes;  // the client has a stream of routing groups, which never ends

    public LocatorConnection(LocatorService locator, EventLoop loop, Doorkeeper keeper, int descriptor)
        : base(loop, descriptor, ProtocolLimits.Default)
    {
        _locator = locator;
        Gate = new ActionGate(keeper, this, "locator");
    }

    /// <summary>Decides about the client's questions.</summary>
    public ActionGate Gate { get; }

    /// <summary>The longest message: a question is a name.</summary>
    protected override int MaxShortBytes => 4 << 10;

    /// <summary>Starts to answer.</summary>
    public void Begin()
    {
        Open();
        CloseWhenIdle(IdleMs);
    }

    internal override bool IsBusy => base.IsBusy || _waitsForRoutes;

    protected override MessageRoom RoomOf(ulong channel) => channel > _highestChannel ? MessageRoom.Opening : MessageRoom.Short;

    protected override void OnOpeningRefused(ulong channel, string problem)
    {
        _highestChannel = channel;
        MessageWriter.WriteError(Output, channel, ErrorCodes.Category, ErrorCodes.TooLarge, problem);
        Send();
    }

    protected override void OnMessage(in MessageView message, HeaderStatus headers)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        ulong channel = layout.Channel;
        if (channel <= _highestChannel)
        {
            if (channel == 0 && !IsRefusedAsOld(in layout))
            {
                MessageWriter.WriteError(Output, 0, ErrorCodes.Category, ErrorCodes.BadRequest, OldDialect.NoChannel);
                Send();
            }

            return; // late: nobody asks twice on a channel
        }

        _highestChannel = channel;
        if (IsRefused(in layout) || IsTurnedAway(channel))
        {
            return;
        }

        LocatorAnswer answer = new();
        switch (layout.Type)
        {
            case Resolve when layout.Shape == ArgumentShape.Data:
                byte[]? seed = layout.ArgumentCount > 1 ? message.AfterData.ToArray() : null; // whatever it is
                AnswerResolve(channel, System.Text.Encoding.UTF8.GetString(message.ShortData), seed);
                break;
            case Cluster:
                MessageWriter.WriteArguments(Output, channel, answer.Cluster(_locator.Nodes(SocketNames.Local(Descriptor))));
                break;
            case Uuid:
                MessageWriter.WriteArguments(Output, channel, answer.Text(_locator.Uuid));
                break;
            case Routing when _waitsForRoutes || _locator.TryTakeRouting():
                _waitsForRoutes = true;
                MessageWriter.WriteArguments(Output, channel, answer.NoRoutes());
                break;
            case Routing:
                MessageWriter.WriteError(Output, channel, ErrorCodes.Category, ErrorCodes.ResourceError, LocatorService.TooManyRouting);
                break;
            default:
                MessageWriter.WriteError(
                    Output, channel, ErrorCodes.Category, ErrorCodes.BadRequest,
                        "the locator has the methods 0 (resolve), 3 (cluster), 5 (routing) and 6 (uuid)");
                break;
        }

        Send();
    }

    protected override void OnMalformed(ulong? channel, int code, string problem)
    {
        if (channel is { } known)
        {
            MessageWriter.WriteError(Output, known, ErrorCodes.Category, code, problem);
        }
    }

    protected override void OnClosed(string reason)
    {
        base.OnClosed(reason);
        _locator.Remove(this, _waitsForRoutes);
    }

    private void AnswerResolve(ulong channel, string name, byte[]? seed)
    {
        LocatorAnswer answer = new();
        IPAddress reached = SocketNames.Local(Descriptor);
        IReadOnlyList<IPEndPoint> found = _locator.Resolve(name, reached, seed);
        DoorRefusal denied = default;
        bool isNode = found.Count == 0 && name == "node"; // what this service may do is asked by the service itself
        if (!isNode && !Gate.MayLocate(name.Split('/', 2)[0], Headers, out denied))
        {
            found = []; // the answer is the one about an app that is not here: a caller without the right learns nothing
        }

        if (denied.Code != 0)
        {
            MessageWriter.WriteError(Output, channel, ErrorCodes.Category, denied.Code, denied.Text);
            return;
        }

        if (found.Count > 0)
        {
            MessageWriter.WriteArguments(Output, channel, answer.Resolved(found));
        }
        else if (isNode && _locator.NodeService?.AddressesFor(reached) is { Count: > 0 } service)
        {
            MessageWriter.WriteArguments(Output, channel, answer.ResolvedNode(service));
        }
        else
        {
            MessageWriter.WriteError(
                Output, channel, ErrorCodes.LocatorCategory, ErrorCodes.LocatorNotFound, _locator.NoService(name, Gate.MaySee));
        }
    }

    private void Send()
    {
        ScheduleSend();
        if (Output.PendingBytes > MaxOutputBytes)
        {
            Close("the client asks and does not read");
        }
    }
}
