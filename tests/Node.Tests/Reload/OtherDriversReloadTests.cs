using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Tests.ZeroMq;

namespace Cocaine.Fast.Node.Tests.Reload;

public class OtherDriversReloadTests
{
    [Fact]
    public async Task A_peer_of_a_raw_server_keeps_its_connection_when_the_task_changes()
    {
        await using TestNode node = TestNode.Start();
        AppManifest Manifest(int version, long idleMs) => Versions.Python(version).With(new TaskManifest
        {
            Name = "echo",
            DriverType = "raw-server",
            Endpoints = ["tcp://127.0.0.1:0"],
            Keys = new Dictionary<string, object> { ["framing"] = "line", ["idle-timeout"] = idleMs },
        });
        RunningApp app = await node.AddAsync(Manifest(1, 60_000));
        string[] address = app.Endpoints[0].Endpoint["tcp://".Length..].Split(':');
        using TcpClient peer = new(address[0], int.Parse(address[1], System.Globalization.CultureInfo.InvariantCulture)) { ReceiveTimeout = 30_000 };
        using StreamReader lines = new(peer.GetStream());
        for (int version = 2; version <= 4; version++)
        {
            peer.Client.Send(Encoding.UTF8.GetBytes($"before {version}\n"));
            Assert.Equal($"before {version}", await lines.ReadLineAsync().WaitAsync(Versions.Long));
            ReplaceOutcome outcome = await node.Node.ReplaceAsync(Manifest(version, 60_000 + version)).WaitAsync(Versions.Long);
            Assert.True(outcome.Replaced, outcome.Reason);
        }

        peer.Client.Send("after\n"u8);
        Assert.Equal("after", await lines.ReadLineAsync().WaitAsync(Versions.Long));
        Assert.Contains("\"connections\":1", await app.InfoJsonAsync());
    }

    [Fact]
    public async Task A_zeromq_server_goes_on_as_it_is_and_one_that_changes_opens_when_the_old_one_has_closed()
    {
        await using TestNode node = TestNode.Start();
        using ZeroMqPeer peer = new();
        int port = FreePort();
        AppManifest Manifest(int version, int backlog) => Versions.Python(version).With(new TaskManifest
        {
            Name = "version",
            DriverType = "zeromq-server",
            Endpoints = [$"tcp://127.0.0.1:{port}"],
            Backlog = backlog,
        });
        RunningApp app = await node.AddAsync(Manifest(1, 100));
        await peer.OpenAsync("req", "REQ", $"tcp://127.0.0.1:{port}");
        Assert.Equal("1", await AskAsync(peer, "req"));
        Assert.True((await node.Node.ReplaceAsync(Manifest(2, 100)).WaitAsync(Versions.Long)).Replaced);
        Assert.Equal("2", await AskAsync(peer, "req"));
        ReplaceOutcome outcome = await node.Node.ReplaceAsync(Manifest(3, 200)).WaitAsync(Versions.Long);
        Assert.True(outcome.Replaced, outcome.Reason);
        await outcome.Drained.WaitAsync(Versions.Long);
        using CancellationTokenSource limit = new(Versions.Long);
        while (app.Endpoints.Count == 0)
        {
            await Task.Delay(20, limit.Token);
        }

        await peer.OpenAsync("other", "REQ", $"tcp://127.0.0.1:{port}");
        Assert.Equal("3", await AskAsync(peer, "other"));

        static async Task<string> AskAsync(ZeroMqPeer peer, string socket)
        {
            await peer.SendTextAsync(socket, "which?");
            return (await peer.ReceiveTextAsync(socket))[0];
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
