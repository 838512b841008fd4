using System.Numerics;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>
/// A client of a native-server as a stranger: the channels that it has opened, the messages that it may send on them, and the ends that it
/// gets when it sends something else, or nothing.
/// </summary>
internal abstract class NativeDoor : DoorConnection
{
    protected NativeDoor(NativeServer server, int descriptor)
        : base(server.Context.Loop, descriptor, server.Limits) => Server = server;

    /// <summary>The server of this client. Changes when another version of the app takes over.</summary>
    internal NativeServer Server { get; private set; }

    internal override bool IsBusy => Channels.Count > 0;

    /// <summary>The open channels.</summary>
    protected ChannelTable<Job> Channels { get; } = new();

    /// <summary>The newest channel, open or not.</summary>
    protected ulong HighestChannel { get; set; }

    /// <summary>The client has called an event that is served: its late messages may be long.</summary>
    protected bool HasCalled { get; set; }

    /// <summary>Starts to serve the client.</summary>
    public void Begin()
    {
        Open();
        CloseWhenIdle(Server.IdleTimeoutMs(Descriptor));
    }

    /// <summary>The driver of the next version takes over this client; the client's jobs stay where they are.</summary>
    public virtual void HandOver(NativeServer next)
    {
        Server = next;
        CloseWhenIdle(next.IdleTimeoutMs(Descriptor));
    }

    internal override void OnIdle()
    {
        Server.Door.IdleClosed++;
        base.OnIdle();
    }

    /// <summary>Answers a channel with an error of the node.</summary>
    protected abstract void Refuse(ulong channel, int code, string reason, in ErrorHeaders headers = default);

    protected override MessageRoom RoomOf(ulong channel) => Channels.TryGet(channel, out _) ? MessageRoom.Payload
        : channel > HighestChannel ? MessageRoom.Opening
        : HasCalled && channel != FlowControl.ClientControlChannel ? MessageRoom.Payload : MessageRoom.Short;

    protected override void OnOpeningRefused(ulong channel, string problem)
    {
        HighestChannel = channel;
        Server.Door.OnName(this, problem);
        Refuse(channel, ErrorCodes.TooLarge, problem);
    }

    protected override void OnUnfinished(ulong? channel, PartialFault fault)
    {
        Server.Door.OnUnfinished(this, fault);
        EndChannel(channel, PartialProblem.CodeOf(fault), PartialProblem.Of(fault));
    }

    protected override void OnMalformed(ulong? channel, int code, string problem)
    {
        Server.Malformed++;
        if (BitOperations.IsPow2(Server.Malformed)) // a peer that sends garbage for ever does not fill the log
        {
            DriverContext context = Server.Context;
            NativeLog.Malformed(context.Log, context.Engine.Name, context.Task.Name, PeerName, problem, Server.Malformed);
        }

        EndChannel(channel, code, problem);
    }

    /// <summary>The client has broken the protocol, perhaps on a channel that is known.</summary>
    private void EndChannel(ulong? channel, int code, string problem)
    {
        if (channel is { } known)
        {
            ulong id = 0;
            if (Channels.Remove(known, out Job? job))
            {
                id = job.Id;
                job.Engine.Cancel(job, "the client broke the protocol"u8);
            }

            Refuse(known, code, problem, new ErrorHeaders { JobId = id });
        }
    }
}
