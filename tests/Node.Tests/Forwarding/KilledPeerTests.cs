using System.Diagnostics;
using System.Globalization;
using System.Net;
using Cocaine.Fast.Client;
using Cocaine.Fast.Cluster.Peers;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Forwarding;
using Cocaine.Fast.Node.Records;

namespace Cocaine.Fast.Node.Tests.Forwarding;

/// <summary>A node of another process takes jobs, and is killed with them.</summary>
public class KilledPeerTests
{
    private const int Clients = 8, CallsAfter = 25;
    private const ulong ForwardedBefore = 40;

    [Fact]
    public async Task No_call_fails_when_the_node_that_runs_it_is_killed()
    {
        using Process peer = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "ForwardPeer.dll")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        string ready = await peer.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)) ?? "it ended";
        int port = int.Parse(ready.Split(' ')[1], CultureInfo.InvariantCulture);
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python(
            "behaviours.py", new EngineSettings { PoolLimit = 2, PoolMinimum = 2, Concurrency = 1, QueueLimit = 10, RetryLimit = 1 }));
        NodePeers ways = await ForwardingNodes.OpenAsync("giver", app, new PeerAddress("peer", new IPEndPoint(IPAddress.Loopback, port)));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        int calls = 0;
        bool killed = false;
        async Task Client()
        {
            for (int after = 0; after < CallsAfter; after += Volatile.Read(ref killed) ? 1 : 0)
            {
                await client.CallAsync("sleep", "0.02"u8.ToArray()).WaitAsync(TimeSpan.FromSeconds(60)); // a failed call fails the test
                Interlocked.Increment(ref calls);
            }
        }

        Task load = Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(Client)));
        AppEngine engine = app.Engine;
        for (long until = Environment.TickCount64 + 60_000; engine.Counters.JobsForwarded < ForwardedBefore; await Task.Delay(5))
        {
            Assert.True(Environment.TickCount64 < until && !load.IsCompleted, $"{engine.Counters.JobsForwarded} of {calls} jobs went to the peer: {node.Log}");
        }

        peer.Kill(); // SIGKILL
        Volatile.Write(ref killed, true);
        await load;
        await peer.WaitForExitAsync();
        Assert.True(engine.Counters.JobsForwardLost > 0 && engine.Counters.JobsRetried > 0, "no job was at the peer when it was killed");
        Assert.Equal((0UL, (ulong)calls), (engine.Counters.JobsFailed, engine.Counters.JobsDone));
        IReadOnlyList<LedgerEntry> jobs = JobRecords.Read(node.LedgerDirectory, "behaviours").Single().Entries;
        Assert.Contains(jobs, job => job is { Node: "peer", Slave: null, Runs: 1 });
        Assert.Contains(jobs, job => job is { Node: null, Slave: not null, Runs: 2 }); // lost there, and run here
        await ways.CloseAsync();
    }
}
