using System.Text;
using Cocaine.Fast.Client.Clusters;
using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Client.Tests.Clusters;

/// <summary>A client of many nodes, which the test plays: which node gets a call, and which calls are sent again.</summary>
public sealed class ClusterClientTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly LoadReport Free = new(4, 0, 0, 1_000_000), Full = new(4, 400, 0, 1_000_000);
    private static readonly CallOptions Twice = new() { Idempotent = true };

    private static readonly Func<PlayedMessage, Task> Echo = call => call.AnswerAsync(call.Message.Data);

    [Fact]
    public async Task Calls_spread_over_nodes_that_do_not_know_the_question_for_the_load()
    {
        await using PlayedNode one = new(Echo), other = new(Echo), locator = PlayedNode.Locator(one.Endpoint, other.Endpoint);
        await using ClusterClient client = await ConnectAsync(locator, 2);
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal("echo", Encoding.UTF8.GetString(await client.CallAsync("echo", default).WaitAsync(Limit)));
        }

        Assert.InRange(one.Calls, 20, 80);
        Assert.Equal(100, one.Calls + other.Calls);
        Assert.Equal([0, 0], client.Nodes.Select(node => node.Calls));
    }

    [Fact]
    public async Task The_node_that_tells_the_lower_load_gets_the_calls()
    {
        await using PlayedNode full = new(Echo, question => question.TellAsync(Full)), free = new(Echo, question => question.TellAsync(Free));
        await using PlayedNode drains = new(Echo, question => question.TellAsync(Free, isOpen: false));
        await using PlayedNode locator = PlayedNode.Locator(full.Endpoint, free.Endpoint, drains.Endpoint);
        await using ClusterClient client = await ConnectAsync(locator, 3);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => client.CallAsync("echo", default))).WaitAsync(Limit);
        int before = free.Calls;
        for (int i = 0; i < 30; i++)
        {
            await client.CallAsync("echo", default).WaitAsync(Limit);
        }

        Assert.Equal(30, free.Calls - before);
    }

    /// <summary>Each form in which a node says that it has not run a job, and forms that say nothing of the kind.</summary>
    [Theory]
    [InlineData(1001, 503, 7, true)]   // a node that tells its load
    [InlineData(1000, 503, 0, true)]   // an older one, before the job had a number
    [InlineData(0x52ff, 1, 0, true)]   // a node of Cocaine: its queue is full
    [InlineData(0x51ff, 6, 0, true)]   // a node of Cocaine: the app is not running
    [InlineData(1000, 503, 7, false)]  // a job that has run, perhaps
    [InlineData(1000, 502, 7, false)]
    [InlineData(1000, 504, 7, false)]
    [InlineData(1000, 520, 7, false)]
    [InlineData(42, 503, 0, false)]    // the app's own error
    public async Task A_job_that_was_not_run_goes_to_another_node_and_no_other_does(int category, int code, int job, bool goesOn)
    {
        await using PlayedNode refuses = new(call => call.ErrorAsync(category, code, new ErrorHeaders { JobId = (ulong)job }));
        await using PlayedNode serves = new(Echo), locator = PlayedNode.Locator(refuses.Endpoint, serves.Endpoint);
        await using ClusterClient client = await ConnectAsync(locator, 2);
        for (int i = 0; i < 8 || refuses.Calls == 0; i++)
        {
            int before = refuses.Calls;
            CocaineException? failure = null;
            try
            {
                await client.CallAsync("echo", default, Twice).WaitAsync(Limit);
            }
            catch (CocaineException error)
            {
                failure = error;
            }

            Assert.Equal(refuses.Calls > before && !goesOn, failure is not null);
            Assert.Equal(failure is null ? i + 1 : i, serves.Calls);
            if (failure is not null)
            {
                Assert.Equal((category, code), (failure.Category, failure.Code));
                return;
            }
        }
    }

    [Fact]
    public async Task When_no_node_has_room_three_are_tried_and_the_caller_hears_it()
    {
        Func<PlayedMessage, Task> refuse = call => call.ErrorAsync(ErrorCodes.RefusedCategory, 503, new ErrorHeaders { JobId = 7, RetryAfterS = 2 });
        PlayedNode[] nodes = [.. Enumerable.Range(0, 5).Select(_ => new PlayedNode(refuse))];
        await using PlayedNode locator = PlayedNode.Locator([.. nodes.Select(node => node.Endpoint)]);
        await using ClusterClient client = await ConnectAsync(locator, 5);
        CocaineException full = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("echo", default).WaitAsync(Limit));
        Assert.Equal((1000, 503, 7UL, TimeSpan.FromSeconds(2)), (full.Category, full.Code, full.JobId, full.RetryAfter));
        Assert.Equal([0, 0, 1, 1, 1], nodes.Select(node => node.Calls).Order()); // another node each time
        int failed = 0;
        for (int i = 0; i < 60; i++)
        {
            await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("echo", default).WaitAsync(Limit));
            failed++;
        }

        int retries = nodes.Sum(node => node.Calls) - failed - 1;
        Assert.InRange(retries, 2, 60); // ten, a tenth of the calls, and ten a second: not 120
        foreach (PlayedNode node in nodes)
        {
            await node.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_call_whose_node_is_lost_is_sent_again_only_when_it_may_run_twice(bool mayRunTwice)
    {
        PlayedNode? dies = null;
        await using PlayedNode lost = new(_ =>
        {
            dies!.Cut();
            return Task.CompletedTask;
        });
        dies = lost;
        await using PlayedNode serves = new(Echo), locator = PlayedNode.Locator(lost.Endpoint, serves.Endpoint);
        await using ClusterClient client = await ConnectAsync(locator, 2);
        int failed = 0;
        while (lost.Calls == 0)
        {
            try
            {
                await client.CallAsync("echo", default, new CallOptions { Idempotent = mayRunTwice }).WaitAsync(Limit);
            }
            catch (ConnectionLostException)
            {
                failed++;
            }
        }

        Assert.Equal(mayRunTwice ? 0 : 1, failed);
    }

    /// <summary>The node says nothing more, as one that stands still: the second copy's answer counts, and the first copy is given up.</summary>
    [Fact]
    public async Task A_call_that_may_run_twice_gets_a_second_copy_when_its_node_falls_silent()
    {
        await using PlayedNode stands = new(_ => Task.CompletedTask, question => question.TellAsync(Free));
        await using PlayedNode serves = new(Echo, question => question.TellAsync(Full));
        await using PlayedNode locator = PlayedNode.Locator(stands.Endpoint, serves.Endpoint);
        await using ClusterClient client = await ConnectAsync(locator, 2);
        while (stands.Calls == 0)
        {
            Assert.Equal("echo", Encoding.UTF8.GetString(await client.CallAsync("echo", default, Twice).WaitAsync(Limit)));
        }

        await RunProcess.UntilAsync(() => stands.GivenUp == 1, () => $"{stands.GivenUp} calls were given up");
        int before = stands.Calls;
        for (int i = 0; i < 20; i++)
        {
            await client.CallAsync("echo", default).WaitAsync(Limit); // not even those that may not run twice go there now
        }

        Assert.Equal(before, stands.Calls);
    }

    [Fact]
    public async Task A_call_that_may_not_run_twice_waits_for_its_silent_node_until_its_deadline()
    {
        await using PlayedNode stands = new(_ => Task.CompletedTask, question => question.TellAsync(Free));
        await using PlayedNode serves = new(Echo, question => question.TellAsync(Full));
        await using PlayedNode locator = PlayedNode.Locator(stands.Endpoint, serves.Endpoint);
        await using ClusterClient client = await ConnectAsync(locator, 2);
        CallOptions options = new() { Deadline = TimeSpan.FromMilliseconds(300) };
        CocaineException late = await Assert.ThrowsAsync<CocaineException>(async () =>
        {
            while (true)
            {
                await client.CallAsync("echo", default, options).WaitAsync(Limit);
            }
        });
        Assert.Equal(ErrorCodes.DeadlineError, late.Code);
        Assert.Equal(1, stands.Calls);
    }

    [Fact]
    public async Task A_stream_goes_to_another_node_until_something_was_written()
    {
        Func<PlayedMessage, Task> refuse = call => call.ErrorAsync(ErrorCodes.RefusedCategory, 503, new ErrorHeaders { JobId = 7 });
        await using PlayedNode refuses = new(refuse, question => question.TellAsync(Free));
        await using PlayedNode serves = new(Echo, question => question.TellAsync(Full));
        await using PlayedNode locator = PlayedNode.Locator(refuses.Endpoint, serves.Endpoint);
        await using ClusterClient client = await ConnectAsync(locator, 2);
        await using (ClusterCall call = await client.OpenAsync("echo"))
        {
            Assert.Equal("echo", Encoding.UTF8.GetString((await call.ReadAsync().AsTask().WaitAsync(Limit))!.Value.Span));
            Assert.Null(await call.ReadAsync().AsTask().WaitAsync(Limit));
        }

        await RunProcess.UntilAsync(() => client.Nodes.All(node => node.Calls == 0), () => string.Join(", ", client.Nodes));
        int before = serves.Calls;
        for (int refused = 0; refused == 0;)
        {
            await using ClusterCall written = await client.OpenAsync("echo");
            await written.WriteAsync(new byte[] { 1 });
            try
            {
                await written.ReadAsync().AsTask().WaitAsync(Limit);
            }
            catch (CocaineException)
            {
                refused++;
            }

            Assert.Equal(refused + serves.Calls - before, refuses.Calls - 1 + serves.Calls - before);
        }
    }

    /// <summary>Nodes that say impossible things about their load, or nothing that can be read, are served like those that say nothing.</summary>
    [Fact]
    public async Task Hostile_loads_change_nothing()
    {
        byte[][] loads =
        [
            [0x91, 0x95, 0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], // 2^63 slots
            [0x91, 0x95, 0, 0, 0, 0, 1],                              // no slots
            [0x91, 0x95, 1, 0, 0, 0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0, 1], // a mean of 2^63 µs
            [0x91, 0xa1, (byte)'x'], [0x90], [0x91, 0x91, 0xc0],
        ];
        await using PlayedNode hostile = new(Echo, async question =>
        {
            foreach (byte[] load in loads)
            {
                await question.Peer.SendAsync(sink => MessageWriter.WriteArguments(sink, question.Message.Channel, load));
                await question.Peer.SendAsync(sink => MessageWriter.WriteArguments(sink, 99, load)); // a channel that nobody opened
            }

            await question.Peer.SendAsync(sink => MessageWriter.WriteClose(sink, question.Message.Channel));
        });
        await using PlayedNode serves = new(Echo), locator = PlayedNode.Locator(hostile.Endpoint, serves.Endpoint);
        await using ClusterClient client = await ConnectAsync(locator, 2);
        for (int i = 0; i < 50; i++)
        {
            Assert.Equal("echo", Encoding.UTF8.GetString(await client.CallAsync("echo", default).WaitAsync(Limit)));
        }

        Assert.InRange(hostile.Calls, 5, 45);
    }

    [Fact]
    public async Task Clients_without_a_node_say_why()
    {
        PlayedNode gone = new(Echo);
        string endpoint = gone.Endpoint;
        await gone.DisposeAsync();
        await using PlayedNode locator = PlayedNode.Locator(endpoint);
        ConnectionLostException failure = await Assert.ThrowsAsync<ConnectionLostException>(() => ConnectAsync(locator, 1));
        Assert.StartsWith($"no node of the app 'app' is connected: cannot connect to {endpoint}: ", failure.Message);
        await Assert.ThrowsAsync<ConnectionLostException>(
            () => ClusterClient.ConnectAsync("app", new ClusterOptions { Locators = [endpoint, endpoint] }));
    }

    private static async Task<ClusterClient> ConnectAsync(PlayedNode locator, int nodes)
    {
        ClusterClient client = await ClusterClient.ConnectAsync("app", new ClusterOptions { Locators = [locator.Endpoint] });
        await RunProcess.UntilAsync(() => client.Nodes.Count(node => node.IsConnected) == nodes, () => string.Join(", ", client.Nodes));
        return client;
    }
}
