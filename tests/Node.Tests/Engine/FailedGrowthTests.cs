using System.Reflection;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Node.Tests.Engine;

/// <summary>Real workers that do not start, or do not stay, beside those that work.</summary>
public sealed class FailedGrowthTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly string _folder = Directory.CreateTempSubdirectory("growth-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Jobs_are_worked_off_by_the_slaves_that_are_there_while_no_other_can_be_started_and_the_pool_grows_once_it_can()
    {
        string down = Path.Combine(_folder, "down");
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python(_folder, $"""
            import os, time
            if os.path.exists("{down}"): raise RuntimeError("database is starting up: password=secret")
            def work(request):
                time.sleep(0.05)
                return b"done"
            """, new EngineSettings { PoolLimit = 6, QueueLimit = 0, HeartbeatTimeoutMs = 60_000, StartupTimeoutMs = 60_000 }));
        File.WriteAllText(down, "");
        Assert.All(await CallAsync(app, 40), answer => Assert.Equal("done", answer));
        await node.LogLines.UntilAsync("a start failed (3 in a row").WaitAsync(Limit);
        Assert.All(await CallAsync(app, 40), answer => Assert.Equal("done", answer));
        File.Delete(down);
        await GrowAsync(app);
        Assert.DoesNotContain("app: broken", node.Log);
    }

    [Fact]
    public async Task A_worker_that_dies_once_it_is_ready_is_started_again_with_pauses_and_its_app_does_not_say_that_it_runs()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python(_folder, """
            import os, threading, time
            def boom():
                time.sleep(0.02)
                os._exit(3)
            threading.Thread(target=boom, daemon=True).start()
            def echo(request): return request
            """, new EngineSettings { PoolLimit = 4, PoolMinimum = 4, StartupTimeoutMs = 60_000 }), waitReady: false);
        await node.LogLines.UntilAsync(" died while ", times: 6).WaitAsync(Limit); // one at a time after the first
        string info = await app.InfoJsonAsync();
        Assert.Matches("\"state\":\"(broken|failing)\"", info);
        Assert.InRange(app.Engine.Counters.SlavesStarted, 6UL, 16UL);
    }

    /// <summary>A node whose launcher has ended: the sockets that were bound for its workers are given back, whatever the failure's type.</summary>
    [Fact]
    public async Task A_launch_that_fails_leaves_no_socket_behind()
    {
        string sockets = Path.Combine(_folder, "run");
        await using CocaineNode node = new(new NodeOptions
        {
            Loops = 1,
            Locator = null,
            LedgerDirectory = Path.Combine(_folder, "ledger"),
            RuntimeDirectory = sockets,
        });
        node.Start();
        RunningApp app = await node.AddAsync(
            TestApps.Python(_folder, "def work(request): return request", new EngineSettings { PoolLimit = 1, PoolMinimum = 1 }));
        await app.Ready.WaitAsync(Limit);
        ((IDisposable)PartOf(PartOf(node, "_factory"), "_launcher")).Dispose();
        await ((EventLoop)app.Engine.Loop).RunAsync(() =>
        {
            foreach (Slave slave in app.Engine.Pool.Roster.Slaves.ToArray())
            {
                slave.Link.Kill("of the test");
            }
        });
        await app.UntilAsync(info => info.GetProperty("pool").GetProperty("starts").GetProperty("failed").GetInt64() >= 3);
        Assert.InRange(Directory.GetFiles(sockets, "*", SearchOption.AllDirectories).Length, 0, 1); // of one start that is under way
    }

    private static object PartOf(object whole, string field) =>
        whole.GetType().GetField(field, BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(whole)!;

    private static async Task<string[]> CallAsync(RunningApp app, int count) =>
        await Task.WhenAll(Enumerable.Range(0, count).Select(async _ =>
        {
            await using CocaineClient client = await TestNode.ConnectAsync(app);
            return Encoding.UTF8.GetString(await client.CallAsync("work", Utf8.Of("x")).WaitAsync(Limit));
        }));

    private static async Task GrowAsync(RunningApp app)
    {
        using CancellationTokenSource stop = new(Limit);
        while (app.Engine.Pool.Roster.Working < 2)
        {
            stop.Token.ThrowIfCancellationRequested();
            Assert.All(await CallAsync(app, 40), answer => Assert.Equal("done", answer));
        }
    }
}
