using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Tls;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Transport.Tests.Tls;

/// <summary>A peer that goes while its bytes wait for their turn: the system reports it in each turn until the socket is closed.</summary>
public sealed class GoneStrangerTests : ISecuredDoor, IDisposable
{
    private const long HourMs = 3_600_000;

    private readonly TestFolder _folder = new();
    private readonly EventLoop _loop = new(NullLogger.Instance);
    private readonly TaskCompletionSource<string> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public GoneStrangerTests() => _loop.Start("strangers");

    public void Dispose()
    {
        _loop.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_reset_ends_a_handshake_that_waits()
    {
        TestCertificates ca = new(_folder);
        using TlsDoors doors = new(TlsContexts.Read(ca.Config(ca.IssueServer())), 600_000, NullLogger.Instance, new Audit(NullLogger.Instance, TimeProvider.System));
        using Socket listener = new(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using Socket peer = new(SocketType.Stream, ProtocolType.Tcp);
        peer.Connect(listener.LocalEndPoint!);
        using Socket accepted = listener.Accept();
        int descriptor = DescriptorCopy.Of((int)accepted.Handle);
        TaskCompletionSource<TlsHandshake> begun = new();
        _loop.Post(() => begun.SetResult(TlsHandshake.TryBegin(_loop, doors, DoorTls.On, descriptor, IPAddress.Loopback, this)!));
        TlsHandshake handshake = await begun.Task;
        accepted.Close();
        while (doors.Gate.TryStart(IPAddress.Loopback, _loop.NowMs + HourMs))
        {
            // The address has started too many in the hour to come, so the handshake waits until its peer goes.
        }

        peer.Send([22, 3, 1, 1, 0, 1, 0]);
        await UntilAsync(() => handshake.State == HandshakeState.Waiting);

        peer.LingerState = new LingerOption(true, 0);
        peer.Close();
        Assert.Equal("the peer is gone", await _failed.Task.WaitAsync(TimeSpan.FromSeconds(30)));
        await UntilAsync(() => handshake.State == HandshakeState.Ended && doors.Gate.Open == 0);
    }

    void ISecuredDoor.OnSecured(TlsHandshake handshake, SecuredPeer peer) => _failed.TrySetResult("it was secured");

    void ISecuredDoor.OnFailed(TlsHandshake handshake, string reason, long total) => _failed.TrySetResult(reason);

    private static async Task UntilAsync(Func<bool> holds)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30));
        while (!holds())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
