using System.Buffers;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Tools.Chaos;

/// <summary>A client that sends what is no message, within TLS when the door has it, and goes. On the load's loop.</summary>
internal sealed class ChaosStranger : SocketConnection
{
    private readonly ServerSocket _server;
    private readonly End _end;

    public ChaosStranger(EventLoop loop, ServerSocket server)
        : base(loop, server.Descriptor) => (_server, _end) = (server, new End(this));

    public void Begin(byte[] bytes, int forMs)
    {
        _server.Open(this);
        Output.WriteLong(bytes, default, default);
        ScheduleSend();
        Loop.Timers.Arm(_end, Loop.NowMs + forMs);
    }

    /// <summary>The node's answer is of no interest.</summary>
    protected override long OnReceived(in ReadOnlySequence<byte> buffer) => buffer.Length;

    protected override void OnClosed(string reason) => Loop.Timers.Cancel(_end);

    private sealed class End(ChaosStranger stranger) : WheelTimer
    {
        public override void OnDue(long nowMs) => stranger.Close("had its time");
    }
}
