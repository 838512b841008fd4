using System.Numerics;
using System.Text;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Drivers.ZeroMq.Wire;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// A serving driver on a ROUTER socket. The driver answers every message that has a sender; derived classes decide the form of the answers.
/// </summary>
internal abstract class RouterDriver : Driver
{
    private readonly RouteTable _routes = new();
    private readonly TaskGuard _guard;
    private readonly byte[][] _methods; // the catalog of the driver's one event
    private readonly int _lingerMs;

    /// <param name="context">The parts that the driver is made of.</param>
    /// <param name="method">The method that jobs call.</param>
    /// <param name="lingerMs">How long unsent answers are kept when the socket closes.</param>
    protected RouterDriver(DriverContext context, string method, int lingerMs)
    {
        Context = context;
        Method = Encoding.UTF8.GetBytes(method);
        _methods = [Method];
        _guard = new TaskGuard(context);
        Monitor = new TaskMonitor(context.Task.Name);
        Sealed = SealModes.Of(context.Task);
        Seals = context.Scope.Get(static () => NodeSeals.None);
        _lingerMs = lingerMs;
        string app = context.Engine.Name, task = context.Task.Name;
        Socket = new ZeroMqSocket(
            context.Loop, SocketKind.Router, $"{app}/{task}", context.Log, context.Scope.Get(static () => new ClosingSockets()), OnMessage,
            total => ZeroMqLog.AnswersDropped(context.Log, app, task, total));
    }

    public override TaskMonitor Monitor { get; }

    /// <summary>The sealed bodies that the task takes.</summary>
    public SealMode Sealed { get; }

    /// <summary>The node's sealed jobs.</summary>
    public NodeSeals Seals { get; }

    public override IReadOnlyList<string> Endpoints => Socket.Endpoints;

    public override IReadOnlyDictionary<string, object> Facts => new Dictionary<string, object>
    {
        ["peers"] = _routes.Count,
        ["received"] = Received,
        ["malformed"] = Malformed,
        ["dropped"] = Socket.Output.Dropped,
        ["refused-peers"] = Socket.Refused,
    };

    public override int? ConnectionCount => _routes.Count;

    public DriverContext Context { get; }

    /// <summary>The engine of new jobs.</summary>
    public AppEngine Engine => Context.Engine;

    public ZeroMqSocket Socket { get; }

    /// <summary>The method that jobs call, UTF-8.</summary>
    public byte[] Method { get; }

    /// <summary>The peer whose message is handled. Valid during <see cref="OnMessage(Route, FrameList)"/>.</summary>
    protected ZeroMqConnection Sender { get; private set; } = null!;

    private long Received { get; set; }

    private long Malformed { get => Monitor.Counts.Malformed; set => Monitor.Counts.Malformed = value; }

    public override void Open()
    {
        _guard.Check();
        Seals.Check(Sealed);
        Socket.Open(new ZeroMqSocketOptions(Context.Task.Endpoints, Context.Task.Backlog) { LingerMs = _lingerMs });
    }

    /// <summary>While the app drains, the engine itself refuses new jobs with 503, and peers get this error.</summary>
    public override void StopTaking()
    {
    }

    public override void Close() => Socket.Close();

    /// <summary>Handles a message: the frames after the route and the empty frame. Their bytes are valid during the call only.</summary>
    protected abstract void OnMessage(Route route, FrameList body);

    /// <summary>The bodies of the message, from this frame on, say themselves who sends them.</summary>
    protected virtual bool ProvesItsCallers(FrameList message, int body) => false;

    /// <summary>The sockets of a peer are no proof of its name: rules for places hold for its jobs that are not sealed.</summary>
    public bool Admits(ZeroMqConnection peer, out DoorRefusal refusal) =>
        (peer.Gate ??= new CallGate(peer, _guard)).Admits(_guard, 0, Method, _methods, null, out refusal);

    /// <summary>The sender of a sealed job may call the task's event, now.</summary>
    public bool AdmitsSealed(ZeroMqConnection peer, string keyName, out DoorRefusal refusal) =>
        (peer.Gate ??= new CallGate(peer, _guard)).AdmitsSealed(_guard, 0, Method, _methods, keyName, out refusal);

    /// <summary>A seal was refused: the audit hears of it.</summary>
    public void DenySeal(ZeroMqConnection peer, SealFault fault) =>
        (peer.Gate ??= new CallGate(peer, _guard)).DenySeal(SealFaults.CauseOf(fault));

    /// <summary>Answers a message that is no request, or whose job was refused.</summary>
    protected abstract void Refuse(Route route, ReadOnlySpan<byte> id, int code, string reason, in ErrorHeaders headers = default);

    /// <summary>Counts a message that is not in the driver's framing, and answers it with 400.</summary>
    protected void OnMalformed(Route route, ReadOnlySpan<byte> id, string problem)
    {
        if (BitOperations.IsPow2(++Malformed)) // a peer that sends garbage for ever does not fill the log
        {
            ZeroMqLog.Malformed(Context.Log, Engine.Name, Context.Task.Name, problem, Malformed);
        }

        Refuse(route, id, ErrorCodes.BadRequest, problem);
    }

    private bool OnMessage(ZeroMqConnection peer, FrameList message)
    {
        Received++;
        Route route = _routes.Find(peer.Identity, message, out int body);
        if (message.Count > WireLimits.MaxFrames)
        {
            OnMalformed(route, default, $"a message of more than {WireLimits.MaxFrames} frames");
        }
        else if (body < 0)
        {
            OnMalformed(route, default, "there is no empty frame after the route");
        }
        else if (!ProvesItsCallers(message, body) && !Admits(peer, out DoorRefusal denied))
        {
            Refuse(route, default, denied.Code, denied.Text, denied.Headers);
        }
        else if (body == message.Count)
        {
            OnMalformed(route, default, "there is nothing after the empty frame");
        }
        else
        {
            Sender = peer;
            OnMessage(route, message.From(body));
        }

        return true;
    }
}
