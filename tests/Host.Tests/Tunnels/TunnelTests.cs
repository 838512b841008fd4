using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Host.Tests.Survival;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Host.Tests.Tunnels;

/// <summary><c>cocaine-fast tunnel</c> between plain sockets and servers of TLS.</summary>
public sealed class TunnelTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TestFolder _folder = new();
    private readonly TestCertificates _certificates;

    public TunnelTests() => _certificates = new TestCertificates(_folder);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Calls_of_a_client_without_TLS_come_through_and_the_stop_tells_the_counts()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        await using TlsFront front = new(_certificates.IssueServer(), TlsFront.To(app.Endpoints[0].Endpoint), _certificates.Ca.Certificate);
        TestCertificate own = _certificates.Issue("caller");
        string socket = $"ipc://{_folder["t.sock"]}";
        using HostProcess tunnel = await StartAsync(front.Endpoint, socket, $"--cert '{own.CertificateFile}' --key '{own.KeyFile}'");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["t.sock"]));
        await using (CocaineClient client = await CocaineClient.ConnectAsync(socket))
        {
            byte[][] requests = [.. new[] { 1, 64, 5000, 70_000, 3 << 20 }.Select(RandomNumberGenerator.GetBytes)];
            byte[][] answers = await Task.WhenAll(requests.Select(request => client.CallAsync("echo", request))).WaitAsync(Limit);
            Assert.All(requests.Zip(answers), pair => Assert.True(pair.First.AsSpan().SequenceEqual(pair.Second)));
        }

        tunnel.Signal("TERM");
        Assert.Equal(0, await tunnel.ExitAsync());
        Assert.Matches(@"stopped: 1 connections, 0 without a server, . cut, 0 refused; 3\d{6} bytes there, 3\d{6} bytes back", tunnel.Errors);
        Assert.False(File.Exists(_folder["t.sock"]));
    }

    [Fact]
    public async Task Each_direction_ends_by_itself()
    {
        await using TlsFront front = new(_certificates.IssueServer(), async (peer, stop) =>
        {
            MemoryStream all = new();
            await peer.CopyToAsync(all, stop); // until the close notice
            await peer.WriteAsync(all.ToArray(), stop);
            await peer.ShutdownAsync();
            Assert.Equal(0, await peer.ReadAsync(new byte[1], stop));
        });
        using HostProcess tunnel = await StartAsync(front.Endpoint);
        using Socket caller = Connect(tunnel);
        byte[] sent = RandomNumberGenerator.GetBytes(2 << 20);
        await caller.SendAsync(sent);
        caller.Shutdown(SocketShutdown.Send);
        Assert.Equal(sent, await ReadToEndAsync(caller));
    }

    [Fact]
    public async Task An_answer_that_is_cut_is_no_regular_end()
    {
        await using TlsFront front = new(_certificates.IssueServer(), async (peer, stop) =>
        {
            await peer.ReadExactlyAsync(new byte[4], stop);
            await peer.WriteAsync(Utf8.Of("half"), stop); // and then the connection ends without a close notice
        });
        using HostProcess tunnel = await StartAsync(front.Endpoint);
        using Socket caller = Connect(tunnel);
        await caller.SendAsync(Utf8.Of("call"));
        SocketException cut = await Assert.ThrowsAsync<SocketException>(() => ReadToEndAsync(caller));
        Assert.Equal(SocketError.ConnectionReset, cut.SocketErrorCode);
        Assert.Contains("without a close notice", await tunnel.UntilAsync("a connection was cut"));
    }

    [Fact]
    public async Task A_caller_that_is_gone_cuts_the_connection_to_the_server()
    {
        TaskCompletionSource<bool> wasCut = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TlsFront front = new(_certificates.IssueServer(), async (peer, stop) =>
        {
            await peer.ReadExactlyAsync(new byte[4], stop);
            await peer.WriteAsync(Utf8.Of("more"), stop);
            Task<int> end = peer.ReadAsync(new byte[1], stop).AsTask();
            await end.ContinueWith(read => wasCut.SetResult(read.IsFaulted), TaskScheduler.Default);
        });
        using HostProcess tunnel = await StartAsync(front.Endpoint);
        using (Socket caller = Connect(tunnel))
        {
            await caller.SendAsync(Utf8.Of("call"));
            await caller.ReceiveAsync(new byte[4]).WaitAsync(Limit);
            caller.LingerState = new LingerOption(true, 0); // a reset
        }

        Assert.True(await wasCut.Task.WaitAsync(Limit), "the server took the reset for a regular end");
    }

    [Fact]
    public async Task A_server_that_reads_nothing_makes_the_caller_wait_and_loses_nothing()
    {
        TaskCompletionSource reads = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource<byte[]> got = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TlsFront front = new(_certificates.IssueServer(), async (peer, stop) =>
        {
            await reads.Task.WaitAsync(stop);
            MemoryStream all = new();
            await peer.CopyToAsync(all, stop);
            if (all.Length > 0) // the tunnel itself connects once at its start
            {
                got.SetResult(all.ToArray());
            }
        });
        using HostProcess tunnel = await StartAsync(front.Endpoint);
        using Socket caller = Connect(tunnel);
        byte[] all = RandomNumberGenerator.GetBytes(64 << 20);
        caller.Blocking = false;
        int at = 0;
        while (at < all.Length && caller.Poll(1_000_000, SelectMode.SelectWrite)) // a second without room: the tunnel takes no more
        {
            at += caller.Send(all.AsSpan(at, Math.Min(64 << 10, all.Length - at)), SocketFlags.None, out _);
        }

        Assert.InRange(at, 1, 32 << 20); // the buffers of four sockets, and 1 MiB of the tunnel
        reads.SetResult();
        caller.Blocking = true;
        while (at < all.Length)
        {
            at += caller.Send(all.AsSpan(at));
        }

        caller.Shutdown(SocketShutdown.Send);
        byte[] came = await got.Task.WaitAsync(Limit);
        Assert.Equal(all.Length, came.Length);
        Assert.Equal(all.Length, all.AsSpan().CommonPrefixLength(came));
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_told_and_each_caller_tries_again()
    {
        TestCertificate certificate = _certificates.IssueServer();
        TlsFront front = new(certificate, (_, _) => Task.CompletedTask);
        string endpoint = front.Endpoint;
        await front.DisposeAsync();
        using HostProcess tunnel = await StartAsync(endpoint);
        await tunnel.UntilAsync("the tunnel tries again for each caller");
        using (Socket caller = Connect(tunnel))
        {
            await Assert.ThrowsAsync<SocketException>(() => ReadToEndAsync(caller));
        }

        Assert.Contains($"cannot connect to {endpoint}: ", await tunnel.UntilAsync("a caller was let go (1 so far)"));
        await using TlsFront later = new(certificate, async (peer, _) => await peer.ShutdownAsync(), port: int.Parse(endpoint.Split(':')[^1]));
        using Socket again = Connect(tunnel);
        again.Shutdown(SocketShutdown.Send);
        Assert.Empty(await ReadToEndAsync(again));
    }

    [Theory]
    [InlineData("--listen tcp://127.0.0.1:0 --to tcp://127.0.0.1:1", "--to: tls://HOST:PORT is needed")]
    [InlineData("--listen nowhere --to tls://127.0.0.1:1", "'nowhere' is not an endpoint: ")]
    [InlineData("--listen tcp://127.0.0.1:0 --to tls://127.0.0.1:1 --ca none.pem", "none.pem cannot be ")]
    [InlineData("--listen tcp://127.0.0.1:0 --to tls://127.0.0.1:1 --cert own.pem", "a client's certificate and its key belong together")]
    [InlineData("--to tls://127.0.0.1:1", "Option '--listen' is required")]
    public async Task A_mistake_is_told_and_nothing_is_listened_on(string words, string text)
    {
        (int code, string output, string errors) = await HostProcess.RunAsync(_folder, $"tunnel {words}");
        Assert.Equal((2, ""), (code, output));
        Assert.StartsWith(text, errors);
    }

    [Fact]
    public async Task A_tunnel_that_other_hosts_can_reach_says_so()
    {
        await using TlsFront front = new(_certificates.IssueServer(), (_, _) => Task.CompletedTask);
        using HostProcess tunnel = await StartAsync(front.Endpoint, "'tcp://*:0'");
        await tunnel.UntilAsync("'tcp://*:0' can be reached from other hosts: everybody who reaches it calls with this tunnel's certificate");
    }

    private async Task<HostProcess> StartAsync(string to, string listen = "tcp://127.0.0.1:0", string more = "")
    {
        HostProcess tunnel = HostProcess.Start(_folder, $"tunnel --listen {listen} --to {to} --ca '{_certificates.CaFile}' {more}");
        await tunnel.UntilAsync("ready listen=");
        return tunnel;
    }

    private static Socket Connect(HostProcess tunnel)
    {
        string line = tunnel.Output.Split('\n').First(line => line.StartsWith("ready ", StringComparison.Ordinal));
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPEndPoint.Parse(line.Split("listen=tcp://")[1].Split(' ')[0]));
        return socket;
    }

    private static async Task<byte[]> ReadToEndAsync(Socket socket)
    {
        MemoryStream all = new();
        byte[] buffer = new byte[64 << 10];
        int count;
        while ((count = await socket.ReceiveAsync(buffer).WaitAsync(Limit)) > 0)
        {
            all.Write(buffer, 0, count);
        }

        return all.ToArray();
    }
}
