using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers.Custom;
using Cocaine.Fast.Node.Apps;

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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_monitor_misses_no_file_whether_its_task_changes_or_not(bool changes)
    {
        string folder = Directory.CreateTempSubdirectory("spool-").FullName, log = folder + ".log";
        TestNode node = TestNode.Start();
        AppManifest Manifest(int version) => Versions.Python(version, file: "files.py", env: ("LOG", log)).With(new TaskManifest
        {
            Name = "spool",
            DriverType = "filesystem-monitor",
            Keys = new Dictionary<string, object> { ["path"] = folder, ["settle"] = changes ? 10L + version : 10L },
        });
        RunningApp app = await node.AddAsync(Manifest(1));
        using CancellationTokenSource stop = new();
        int made = 0;
        Task maker = Task.Run(() =>
        {
            for (; !stop.IsCancellationRequested; made++)
            {
                File.WriteAllText(Path.Combine(folder, $"file-{made}"), "");
                Thread.Sleep(1);
            }
        });
        for (int version = 2; version <= 5; version++)
        {
            Assert.True((await node.Node.ReplaceAsync(Manifest(version)).WaitAsync(Versions.Long)).Replaced);
        }

        await stop.CancelAsync();
        await maker;
        string last = $"\"file-{made - 1}\"", lines = "";
        using CancellationTokenSource limit = new(Versions.Long);
        while (!lines.Contains(last))
        {
            await Task.Delay(20, limit.Token);
            lines = File.Exists(log) ? File.ReadAllText(log) : "";
        }

        await node.Node.StopAsync(Versions.Long); // every job that was made has ended
        lines = File.ReadAllText(log);
        int[] missed = [.. Enumerable.Range(0, made).Where(number => !lines.Contains($"\"file-{number}\""))];
        Assert.Empty(missed);
        Assert.Equal(5, app.Manifest.Version);
        Directory.Delete(folder, recursive: true);
        File.Delete(log);
    }

    [Fact]
    public async Task A_paused_app_drops_its_ticks_and_counts_them()
    {
        string folder = Directory.CreateTempSubdirectory("ticking-").FullName;
        TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1, file: "ticking.py", env: ("TICKING", folder)).With(
            new TaskManifest { Name = "tick", DriverType = "recurring-timer", Keys = new Dictionary<string, object> { ["interval"] = 10L } }));
        await TickAsync(5);
        await node.Node.PauseAsync("app");
        ulong accepted = app.Engine.Counters.JobsAccepted;
        await TickAsync(5);
        Assert.Equal(accepted, app.Engine.Counters.JobsAccepted);
        Assert.InRange(await FactAsync("dropped"), 5, long.MaxValue);
        await node.Node.ResumeAsync("app");
        long dropped = await FactAsync("dropped");
        await TickAsync(5);
        Assert.Equal(dropped, await FactAsync("dropped"));
        await node.Node.StopAsync(Versions.Long);
        Directory.Delete(folder, recursive: true);

        async Task<long> FactAsync(string name) =>
            (await app.InfoAsync()).GetProperty("tasks").GetProperty("tick").GetProperty(name).GetInt64();

        async Task TickAsync(int more)
        {
            long until = await FactAsync("ticks") + more;
            while (await FactAsync("ticks") < until)
            {
                await Task.Yield();
            }
        }
    }

    [Fact]
    public async Task A_driver_of_the_program_goes_on_or_makes_way_for_the_next()
    {
        List<Probe> made = [];
        NodeOptions options = new()
        {
            Loops = 1,
            Locator = null,
            Drivers = new Dictionary<string, Func<CustomDriver>>
            {
                ["probe"] = () =>
                {
                    Probe probe = new();
                    made.Add(probe);
                    return probe;
                },
            },
        };
        await using CocaineNode node = new(options);
        node.Start();
        AppManifest Manifest(int version, long key) => Versions.Python(version).With(
            new TaskManifest { Name = "version", DriverType = "probe", Keys = new Dictionary<string, object> { ["key"] = key } });
        await node.AddAsync(Manifest(1, 0));
        Assert.Equal("1", await made[0].AskAsync());
        Assert.True((await node.ReplaceAsync(Manifest(2, 0)).WaitAsync(Versions.Long)).Replaced);
        Assert.Equal("2", await Assert.Single(made).AskAsync()); // the same driver, the new version
        ReplaceOutcome outcome = await node.ReplaceAsync(Manifest(3, 1)).WaitAsync(Versions.Long);
        Assert.Equal(["started", "stops taking"], made[0].Told.Take(2));
        Assert.Equal("3", await made[1].AskAsync());
        await outcome.Drained.WaitAsync(Versions.Long);
        Assert.Equal(["started", "stops taking", "closed"], made[0].Told);
        Assert.Equal(["started"], made[1].Told);
    }

    private sealed class Probe : CustomDriver
    {
        private TaskJobs? _jobs;

        public ConcurrentQueue<string> Told { get; } = new();

        public override void Start(TaskJobs jobs)
        {
            _jobs = jobs;
            Told.Enqueue("started");
        }

        public override void StopTaking() => Told.Enqueue("stops taking");

        public override void Close() => Told.Enqueue("closed");

        public async Task<string> AskAsync() => Encoding.UTF8.GetString((await _jobs!.CallAsync(default).WaitAsync(Versions.Long))[0]);
    }

    private static int FreePort()
    {
        using TcpListener listener = new(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
