using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Cluster.Tests.Peers;

/// <summary>Nodes on loops and sockets of their own: jobs that find no slave go to the others, and come back.</summary>
[Collection(nameof(Alone))] // a proof has its second, which the simulations beside it would take
public class ForwardingTests
{
    [Fact]
    public async Task A_lone_node_has_no_links_until_a_job_has_to_wait()
    {
        await using PeerNode a = await PeerNode.StartAsync("a"), b = await PeerNode.StartAsync("b");
        a.Knows(b);
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(0, (await (await a.CallAsync("echo")).Ended).Code);
        }

        Assert.Empty(await a.On(() => a.Forwarder.Links));
        await a.LinkAsync(1);
        TestCall call = await a.CallAsync("echo");
        Assert.Equal(new CallEnd(0, "", 1, 5), await call.Ended);
        Assert.Equal((1UL, 1UL), (a.Engine.Counters.JobsForwarded, b.Engine.Counters.JobsTaken));
        Assert.True(await a.HoldsAsync() && await b.HoldsAsync());
    }

    [Fact]
    public async Task All_calls_to_one_node_spread_over_all_and_none_is_refused()
    {
        await using PeerNode a = await PeerNode.StartAsync("a", slots: 4), b = await PeerNode.StartAsync("b", slots: 4), c = await PeerNode.StartAsync("c", slots: 4);
        a.Knows(b, c);
        await a.LinkAsync(2);
        int failed = 0;
        async Task Client()
        {
            for (int i = 0; i < 60; i++)
            {
                failed += (await (await a.CallAsync("sleep 5")).Ended).Code == 0 ? 0 : 1;
            }
        }

        await Task.WhenAll(Enumerable.Range(0, 11).Select(_ => Task.Run(Client)));
        Assert.Equal(0, failed);
        int[] begun = [a.Begun, b.Begun, c.Begun];
        Assert.True(begun[1] > 100 && begun[2] > 100, $"the jobs were not spread: {string.Join(", ", begun)}, with a mean of {a.Engine.Scope.Mean.Ns} ns");
        Assert.Equal(662, begun.Sum()); // each once, and the two that open the links
        Assert.True(await a.HoldsAsync() && await b.HoldsAsync() && await c.HoldsAsync());
    }

    [Fact]
    public async Task A_taken_job_goes_no_further()
    {
        await using PeerNode a = await PeerNode.StartAsync("a"), b = await PeerNode.StartAsync("b"), c = await PeerNode.StartAsync("c");
        a.Knows(b);
        b.Knows(c);
        await a.LinkAsync(1);
        await b.LinkAsync(1); // b has no free slave from here on
        TestCall first = await a.CallAsync("sleep 1");
        await a.On(() => a.Forwarder.Links[0].Load.WaitNs);
        Assert.Equal(0UL, b.Engine.Counters.JobsForwarded);
        Assert.Equal(0, c.Begun);
        await b.On(() => { b.Engine.StopNow("the test ends the jobs of b"); return true; });
        Assert.NotNull(first);
    }

    [Fact]
    public async Task A_full_peer_refuses_and_the_job_waits_at_home()
    {
        await using PeerNode a = await PeerNode.StartAsync("a"), b = await PeerNode.StartAsync("b", queueLimit: 1);
        a.Knows(b);
        await a.LinkAsync(1);
        TestCall[] calls = [.. await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => a.CallAsync("hang")))]; // b has a slave and one place
        await a.UntilAsync(() => a.Engine.Counters.JobsForwarded + (ulong)a.Engine.Queue.Count >= 3 && a.Engine.RunningJobs + a.Engine.Queue.Count == 4);
        await a.On(() =>
        {
            foreach (TestCall call in calls.Where(call => call.Job is not null))
            {
                a.Engine.Cancel(call.Job!, "the test is over"u8);
            }

            return true;
        });
        Assert.True(await a.HoldsAsync());
        await b.UntilAsync(() => b.Engine.RunningJobs + b.Engine.Queue.Count == 0);
        Assert.True(await b.HoldsAsync());
    }

    [Fact]
    public async Task Wishes_go_along_and_the_deadline_is_what_is_left_of_it()
    {
        await using PeerNode a = await PeerNode.StartAsync("a"), b = await PeerNode.StartAsync("b");
        a.Knows(b);
        await a.LinkAsync(1);
        TestCall call = await a.CallAsync("hang", new JobPolicy { DeadlineMs = 5000, Urgent = true, SilenceTimeoutMs = 4000, RetryLimit = 1 });
        await b.UntilAsync(() => b.Engine.RunningJobs == 1);
        JobPolicy there = await b.On(() => b.Engine.Pool.Roster.Slaves.First().Channels.ToList()[0].Policy);
        Assert.Equal((true, 4000L, 1), (there.Urgent, there.SilenceTimeoutMs, there.RetryLimit));
        Assert.InRange(there.DeadlineMs, 4000, 5000);
        await a.On(() => { a.Engine.Cancel(call.Job!, "the caller is gone"u8); return true; });
        await b.UntilAsync(() => b.Cancelled == 1 && b.Engine.RunningJobs == 0);
    }

    [Fact]
    public async Task A_deadline_that_passes_cancels_the_job_at_its_node()
    {
        await using PeerNode a = await PeerNode.StartAsync("a"), b = await PeerNode.StartAsync("b");
        a.Knows(b);
        await a.LinkAsync(1);
        TestCall call = await a.CallAsync("hang", new JobPolicy { DeadlineMs = 50 });
        Assert.Equal(520, (await call.Ended).Code);
        await b.UntilAsync(() => b.Cancelled == 1);
    }

    [Fact]
    public async Task An_error_of_the_app_comes_as_it_is()
    {
        await using PeerNode a = await PeerNode.StartAsync("a"), b = await PeerNode.StartAsync("b");
        a.Knows(b);
        await a.LinkAsync(1);
        Assert.Equal(new CallEnd(7, "the app says no", 0, 0), await (await a.CallAsync("fail")).Ended);
    }

    [Fact]
    public async Task A_stream_of_any_length_comes_whole_and_waits_for_a_slow_caller()
    {
        await using PeerNode a = await PeerNode.StartAsync("a"), b = await PeerNode.StartAsync("b");
        a.Knows(b);
        await a.LinkAsync(1);
        TestCall call = await a.CallAsync("stream 400", whole: false);
        await a.On(() =>
        {
            call.OnEachChunk = job =>
            {
                if (call.Chunks == 10)
                {
                    Assert.True(job.Runner!.HoldBack(job.SlaveChannel, alone: true));
                }
            };
            a.Engine.EndRequest(call.Job!);
            return true;
        });
        await b.UntilAsync(() => b.App.Sessions.Count == 1 && call.Chunks >= 10);
        await Task.WhenAny(call.Ended, Task.Delay(300));
        Assert.InRange(call.Chunks, 10, 200); // those that were on their way, and no more
        await a.On(() => { call.Job!.Runner!.LetGo(call.Job.SlaveChannel); return true; });
        Assert.Equal(new CallEnd(0, "", 400, 400L * (64 << 10)), await call.Ended);
    }

    [Fact]
    public async Task A_long_request_goes_chunk_by_chunk()
    {
        await using PeerNode a = await PeerNode.StartAsync("a"), b = await PeerNode.StartAsync("b");
        a.Knows(b);
        await a.LinkAsync(1);
        TestCall call = await a.CallAsync("echo", whole: false, sizeBytes: 100);
        for (int i = 0; i < 40; i++)
        {
            await a.On(() => { a.Engine.AddChunk(call.Job!, new Core.Protocol.Payload(new byte[100_000])); return true; });
        }

        await a.On(() => { a.Engine.EndRequest(call.Job!); return true; });
        Assert.Equal(4_000_100, (await call.Ended).Bytes);
    }

    [Fact]
    public async Task A_node_that_goes_gives_its_jobs_back_and_none_is_lost()
    {
        await using PeerNode a = await PeerNode.StartAsync("a", slots: 2, queueLimit: 0);
        PeerNode b = await PeerNode.StartAsync("b", slots: 2, queueLimit: 0);
        a.Knows(b);
        await a.LinkAsync(1);
        TestCall[] calls = [.. await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => a.CallAsync("sleep 100")))];
        await b.UntilAsync(() => b.App.Sessions is [{ Jobs: > 0 }]);
        await b.On(() => { b.Listener.Close(); b.App.Close(); return true; }); // as the kernel does for a killed process
        CallEnd[] ends = await Task.WhenAll(calls.Select(call => call.Ended));
        Assert.All(ends, end => Assert.Equal(0, end.Code));
        Assert.True(a.Engine.Counters.JobsRetried > 0);
        Assert.True(await a.HoldsAsync());
        await b.DisposeAsync();
    }

    [Fact]
    public async Task A_node_that_drains_says_so_on_its_links()
    {
        await using PeerNode a = await PeerNode.StartAsync("a"), b = await PeerNode.StartAsync("b");
        a.Knows(b);
        await a.LinkAsync(1);
        b.IsDraining = true;
        await a.UntilAsync(() => !a.Forwarder.Links[0].Load.IsOpen);
        b.IsDraining = false;
        await a.UntilAsync(() => a.Forwarder.Links[0].Load.IsOpen);
    }

    [Fact]
    public async Task Another_secret_or_cluster_makes_no_link()
    {
        await using PeerNode a = await PeerNode.StartAsync("a"), b = await PeerNode.StartAsync("b", secret: new byte[32]);
        a.Knows(b);
        await a.CallAsync("hang");
        await a.UntilAsync(() =>
        {
            _ = a.Forwarder.Choose(new Core.Balancing.OwnQueue(0, 1, 0, false));
            return a.Log.Any(line => line.Contains("no link to node b", StringComparison.Ordinal));
        });
        Assert.Empty(await a.On(() => a.Forwarder.Links));
        Assert.Empty(await b.On(() => b.App.Sessions));
    }
}
