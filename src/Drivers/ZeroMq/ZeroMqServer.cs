using System.Text;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Drivers.ZeroMq.Wire;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// The zeromq-server driver: [route…, "", body…], each body frame a job, and one reply for each message: [route…, "", …] with the
/// chunks of its jobs in the order of the bodies. A ROUTER cannot tell a REQ from a DEALER, and a REQ takes exactly one reply:
/// so the reply is sent when the last job is done.
/// </summary>
internal sealed class ZeroMqServer(DriverContext context)
    : RouterDriver(context, context.Task.Name, context.Task.GetInt("linger"))
{
    /// <summary>The driver's entry for manifests.</summary>
    public static DriverEntry Entry { get; } = new(
        "zeromq-server", [ListeningKeys.Endpoint, ZeroMqKeys.Backlog, ZeroMqKeys.Linger], static context => new ZeroMqServer(context))
    {
        ZeroMqName = static _ => "zeromq-server",
    };

    private readonly Stack<Exchange> _free = new(); // as many as there were messages at the same time

    public JsonFrames Frames { get; } = new();

    protected override void OnMessage(Route route, FrameList body)
    {
        if (!_free.TryPop(out Exchange? exchange))
        {
            exchange = new Exchange(this);
        }

        exchange.Run(route, body);
    }

    protected override void Refuse(Route route, ReadOnlySpan<byte> id, int code, string reason, in ErrorHeaders headers = default)
    {
        if (Socket.Output.TryBegin(route))
        {
            Socket.Output.Add(Frames.Error(id, code, Encoding.UTF8.GetBytes(reason), in headers), more: false);
        }
    }

    public void Free(Exchange exchange) => _free.Push(exchange);
}
