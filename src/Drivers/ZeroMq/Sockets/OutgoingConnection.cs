using System.Net;
using System.Net.Sockets;
using System.Numerics;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>
/// The place of one connection that a socket makes itself, and makes again whenever it is lost. Lives on the loop; only the attempt itself
/// is elsewhere.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="address">The address of the peer.</param>
/// <param name="name">The name of the socket, for the log.</param>
/// <param name="log">Gets the failures.</param>
/// <param name="connected">Makes the connection of a connected descriptor, which belongs to it from then on.</param>
internal sealed class OutgoingConnection(
    EventLoop loop, IPEndPoint address, string name, ILogger log, Func<int, ZeroMqConnection> connected) : WheelTimer
{
    /// <summary>The first pause is ZeroMQ's own; the longest one is short for a person who waits for a publisher to come back.</summary>
    private const int FirstPauseMs = 100, LongestPauseMs = 5_000;

    /// <summary>Longer than any round trip, and shorter than the kernel's own patience of two minutes.</summary>
    private static readonly TimeSpan AttemptTimeout = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _ends = new();
    private int _pauseMs = FirstPauseMs;
    private long _failures;
    private bool _stopped;

    /// <summary>The connection; null while there is none.</summary>
    public ZeroMqConnection? Connection { get; private set; }

    /// <summary>Tries to connect.</summary>
    public void Begin() => Task.Run(AttemptAsync);

    /// <summary>The peer is one of ZeroMQ: the next pause is short again.</summary>
    public void OnReady()
    {
        _pauseMs = FirstPauseMs;
        _failures = 0;
    }

    /// <summary>The connection is lost: another is made after a pause.</summary>
    public void OnLost()
    {
        Connection = null;
        if (!_stopped)
        {
            loop.Timers.Arm(this, loop.NowMs + _pauseMs);
            _pauseMs = Math.Min(_pauseMs * 2, LongestPauseMs);
        }
    }

    /// <summary>Connects no more.</summary>
    public void Stop()
    {
        _stopped = true;
        _ends.Cancel();
        loop.Timers.Cancel(this);
    }

    public override void OnDue(long nowMs) => Begin();

    private async Task AttemptAsync()
    {
        int descriptor = -1;
        string problem = "";
        try
        {
            using Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(_ends.Token);
            limit.CancelAfter(AttemptTimeout);
            SocketTuning.PrepareConnect((int)socket.Handle, address);
            await socket.ConnectAsync(address, limit.Token).ConfigureAwait(false);
            descriptor = DescriptorCopy.Of((int)socket.Handle);
            SocketTuning.Apply(descriptor);
        }
        catch (Exception failure) when (failure is SocketException or IOException or OperationCanceledException)
        {
            problem = failure is OperationCanceledException ? "the peer does not answer" : failure.Message;
        }

        loop.Post(() => OnAttempted(descriptor, problem));
    }

    private void OnAttempted(int descriptor, string problem)
    {
        if (descriptor >= 0 && !_stopped)
        {
            Connection = connected(descriptor);
            return;
        }

        if (descriptor >= 0)
        {
            new SafeSocketHandle(descriptor, ownsHandle: true).Dispose();
            return;
        }

        if (!_stopped && BitOperations.IsPow2(++_failures))
        {
            ZeroMqLog.NotConnected(log, name, Endpoint.Describe(address), problem, _failures);
        }

        OnLost();
    }
}
