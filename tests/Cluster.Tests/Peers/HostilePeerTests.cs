using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Cluster.Peers;
using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.MessagePack;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Cluster.Tests.Peers;

/// <summary>Whatever comes over a link is hostile until it is proven and valid.</summary>
[Collection(nameof(Alone))] // a proof has its second, which the simulations beside it would take
public sealed class HostilePeerTests : IDisposable
{
    private readonly Socket _listener = new(SocketType.Stream, ProtocolType.Tcp);

    public HostilePeerTests()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
    }

    private IPEndPoint At => new(IPAddress.Loopback, ((IPEndPoint)_listener.LocalEndPoint!).Port);

    public void Dispose() => _listener.Dispose();

    [Theory]
    [InlineData("garbage")]
    [InlineData("http")]
    [InlineData("another cluster")]
    [InlineData("call before the hello")]
    [InlineData("too long")]
    [InlineData("too long and unfinished")]
    [InlineData("too few fields")]
    [InlineData("news")]
    public async Task A_connection_without_a_hello_is_turned_away(string what)
    {
        await using PeerNode node = await PeerNode.StartAsync("b");
        using RawLink link = await RawLink.ConnectAsync(node.Port);
        byte[] sent = what switch
        {
            "garbage" => [0xc1, 0xff, 0x00],
            "http" => "GET / HTTP/1.1\r\n\r\n"u8.ToArray(),
            "another cluster" => Written(PeerHello.Of(new PeerIdentity("other", "a", 1, PeerNode.Secret), PeerNode.AppName).Write),
            "call before the hello" => Written(sink => MessageWriter.WriteEnqueue(sink, 2, "echo"u8, default, bin: true)),
            "too long" => Written(sink => MessageWriter.WriteChunk(sink, 1, new Payload(new byte[5000]), bin: true)),
            "too long and unfinished" => Written(sink => MessageWriter.WriteChunk(sink, 1, new Payload(new byte[5000]), bin: true))[..100],
            "too few fields" => Written(sink => MessageWriter.WriteArguments(sink, 1, [0x91, 0xa1, 0x61])),
            _ => Written(sink => new LoadNews(new LoadReport(1, 0, 0, 0), IsOpen: true).Write(sink, PeerHello.Channel)),
        };
        await link.SendAsync(sent);
        await link.EndsAsync();
        Assert.Equal(1, node.Listener.TurnedAway);
        Assert.Equal((0, 0), await node.On(() => (node.Listener.Greetings, node.App.Sessions.Count)));
    }

    [Theory]
    [InlineData("wrong secret")]
    [InlineData("the listener's own mac")]
    [InlineData("no mac")]
    [InlineData("the hello again")]
    public async Task A_hello_without_the_proof_is_turned_away(string what)
    {
        await using PeerNode node = await PeerNode.StartAsync("b");
        using RawLink link = await RawLink.ConnectAsync(node.Port);
        PeerHello hello = PeerHello.Of(new PeerIdentity("cluster", "a", 1, PeerNode.Secret), PeerNode.AppName);
        await link.SendAsync(hello.Write);
        RawMessage answer = (await link.ReadAsync())!;
        Assert.True(hello.TryReadAnswer(answer.Arguments, PeerNode.Secret, out string other, out byte[] nonce));
        Assert.False(hello.TryReadAnswer(answer.Arguments, new byte[32], out _, out _));
        await link.SendAsync(what switch
        {
            "wrong secret" => Written(sink => hello.WriteProof(sink, new byte[32], other, nonce)),
            "the listener's own mac" => Written(sink => hello.WriteAnswer(sink, new PeerIdentity("cluster", other, 1, PeerNode.Secret), nonce)),
            "no mac" => Written(sink => MessageWriter.WriteArguments(sink, 1, [0x90])),
            _ => Written(hello.Write),
        });
        await link.EndsAsync();
        Assert.Equal(1, node.Listener.TurnedAway);
        Assert.Empty(await node.On(() => node.App.Sessions));
    }

    [Fact]
    public async Task A_proof_of_another_link_is_of_no_use()
    {
        await using PeerNode node = await PeerNode.StartAsync("b");
        PeerHello hello = PeerHello.Of(new PeerIdentity("cluster", "a", 1, PeerNode.Secret), PeerNode.AppName);
        byte[] proof = [];
        for (int i = 0; i < 2; i++)
        {
            using RawLink link = await RawLink.ConnectAsync(node.Port);
            await link.SendAsync(hello.Write);
            Assert.True(hello.TryReadAnswer((await link.ReadAsync())!.Arguments, PeerNode.Secret, out string other, out byte[] nonce));
            proof = i == 0 ? Written(sink => hello.WriteProof(sink, PeerNode.Secret, other, nonce)) : proof;
            await link.SendAsync(proof);
            RawMessage? next = await link.ReadAsync();
            Assert.Equal(i == 0 ? MessageType.Chunk : MessageType.Error, next!.Type);
        }
    }

    [Fact]
    public async Task Hellos_that_do_not_end_have_a_time_and_a_number()
    {
        await using PeerNode node = await PeerNode.StartAsync("b");
        RawLink[] links = [.. await Task.WhenAll(Enumerable.Range(0, PeerLimits.MostGreetings + 10).Select(_ => RawLink.ConnectAsync(node.Port)))];
        await node.UntilAsync(() => node.Listener.TurnedAway >= 10);
        Assert.InRange(await node.On(() => node.Listener.Greetings), 0, PeerLimits.MostGreetings);
        await links[0].SendAsync([0x93, 1]); // the beginning of one
        await Task.WhenAll(links.Select(link => link.EndsAsync()));
        Assert.Equal(0, await node.On(() => node.Listener.Greetings));
        foreach (RawLink link in links)
        {
            link.Dispose();
        }

        using RawLink good = await RawLink.JoinAsync(node); // the next one is served
    }

    [Fact]
    public async Task An_app_that_the_node_does_not_have_gets_an_error()
    {
        await using PeerNode node = await PeerNode.StartAsync("b");
        node.Listener.Remove(node.App);
        using RawLink link = await RawLink.ConnectAsync(node.Port);
        PeerHello hello = PeerHello.Of(new PeerIdentity("cluster", "a", 1, PeerNode.Secret), PeerNode.AppName);
        await link.SendAsync(hello.Write);
        Assert.True(hello.TryReadAnswer((await link.ReadAsync())!.Arguments, PeerNode.Secret, out string other, out byte[] nonce));
        await link.SendAsync(sink => hello.WriteProof(sink, PeerNode.Secret, other, nonce));
        RawMessage error = (await link.ReadAsync())!;
        Assert.Equal((MessageType.Error, 404), ((byte)error.Type, error.Code));
        await link.EndsAsync();
    }

    [Theory]
    [InlineData("one argument")]
    [InlineData("close on a new channel")]
    [InlineData("hello again")]
    [InlineData("broken flow")]
    [InlineData("chunk after the end")]
    [InlineData("garbage")]
    public async Task A_proven_node_that_breaks_the_protocol_loses_its_link_and_nothing_else(string what)
    {
        await using PeerNode node = await PeerNode.StartAsync("b", slots: 2);
        using RawLink good = await RawLink.JoinAsync(node, "good");
        await good.SendAsync(Call(2, "sleep 50"));
        using RawLink bad = await RawLink.JoinAsync(node, "bad");
        await bad.SendAsync(Call(2, "hang"));
        await node.UntilAsync(() => node.Engine.RunningJobs == 2);
        await bad.SendAsync(what switch
        {
            "one argument" => Written(sink => MessageWriter.WriteEnqueue(sink, 3, "echo"u8, default, bin: true)),
            "close on a new channel" => Written(sink => MessageWriter.WriteClose(sink, 3)),
            "hello again" => Written(sink => new LoadNews(new LoadReport(1, 0, 0, 0), IsOpen: true).Write(sink, PeerHello.Channel)),
            "broken flow" => Written(sink => MessageWriter.WriteArguments(sink, 0, [0x92, 1, 2])),
            "chunk after the end" => Written(sink => MessageWriter.WriteChunk(sink, 2, new Payload("x"u8), bin: true)),
            _ => [0xc1],
        });
        await bad.EndsAsync();
        await node.UntilAsync(() => node.Cancelled == 1 && node.App.Sessions.Count == 1);
        RawMessage answer = (await good.ReadJobAsync())!;
        Assert.Equal((2UL, MessageType.Chunk), (answer.Channel, (byte)answer.Type));
        Assert.True(await node.HoldsAsync());
    }

    [Theory]
    [InlineData("task", "echo", true)]
    [InlineData("other", "echo", false)]
    public async Task A_task_that_the_node_does_not_have_is_refused_as_not_run(string task, string name, bool isKnown)
    {
        await using PeerNode node = await PeerNode.StartAsync("b");
        using RawLink link = await RawLink.JoinAsync(node);
        await link.SendAsync(Call(2, name, task));
        RawMessage answer = (await link.ReadJobAsync())!;
        Assert.Equal(isKnown ? (0, 0) : (ErrorCodes.RefusedCategory, 404), (answer.Category, answer.Code));
    }

    [Theory]
    [InlineData(1UL << 63, 0UL)]
    [InlineData(0UL, 0UL)]
    [InlineData(1UL, 1UL << 63)]
    [InlineData(ulong.MaxValue, ulong.MaxValue)]
    public async Task Impossible_loads_draw_no_job(ulong slots, ulong meanUs)
    {
        await using PeerNode node = await PeerNode.StartAsync("a");
        node.Knows("raw", At);
        Task<RawLink> accepted = RawLink.AcceptAsync(_listener, "raw");
        await node.CallAsync("hang");
        using RawLink raw = await Opened(node, accepted);
        await raw.SendAsync(sink => WriteLoad(sink, slots, meanUs));
        await node.UntilAsync(() => node.Forwarder.Links.Count == 1);
        Assert.False(await node.On(() => node.Forwarder.Links[0].Load.IsEligible(node.Loop.NowNs)));
        Assert.Null(await node.On(() => node.Forwarder.Choose(new OwnQueue(9, 1, 1_000_000_000, true))));
    }

    [Theory]
    [InlineData("a channel never opened")]
    [InlineData("news that are none")]
    [InlineData("broken flow")]
    [InlineData("a refusal after a chunk")]
    [InlineData("an unknown type")]
    public async Task A_peer_that_breaks_the_protocol_loses_its_link_and_its_job_comes_home(string what)
    {
        await using PeerNode node = await PeerNode.StartAsync("a");
        (RawLink raw, TestCall call) = await ForwardAsync(node, new JobPolicy { RetryLimit = 2 });
        using RawLink link = raw;
        await link.SendAsync(what switch
        {
            "a channel never opened" => Written(sink => MessageWriter.WriteClose(sink, 99)),
            "news that are none" => Written(sink => MessageWriter.WriteArguments(sink, 1, [0x91, 0x95, 1, 2, 3, 4, 0xa0])),
            "broken flow" => Written(sink => MessageWriter.WriteArguments(sink, 0, [0x92, 1, 2])),
            "a refusal after a chunk" => [.. Written(sink => MessageWriter.WriteChunk(sink, 2, new Payload("x"u8), bin: true)),
                .. Written(sink => MessageWriter.WriteError(sink, 2, ErrorCodes.RefusedCategory, 503, "full"))],
            _ => Written(sink => MessageWriter.WriteEmpty(sink, 2, 7)),
        });
        await link.EndsAsync();
        await node.UntilAsync(() => node.Forwarder.Links.Count == 0);
        if (what == "a refusal after a chunk")
        {
            Assert.Equal((502, 1), ((await call.Ended).Code, call.Chunks));
        }
        else
        {
            await node.UntilAsync(() => node.Engine.Queue.Count == 1);
        }

        Assert.True(await node.HoldsAsync());
    }

    [Fact]
    public async Task Answers_twice_and_late_messages_count_once()
    {
        await using PeerNode node = await PeerNode.StartAsync("a");
        (RawLink raw, TestCall call) = await ForwardAsync(node, default);
        using RawLink link = raw;
        for (int i = 0; i < 3; i++)
        {
            await link.SendAsync(sink => MessageWriter.WriteChunk(sink, 2, new Payload("x"u8), bin: true));
            await link.SendAsync(sink => MessageWriter.WriteClose(sink, 2));
            await link.SendAsync(sink => MessageWriter.WriteError(sink, 2, ErrorCodes.RefusedCategory, 503, "full"));
        }

        Assert.Equal(new CallEnd(0, "", 1, 1), await call.Ended);
        Assert.Equal((1, 1UL), await node.On(() => (node.Forwarder.Links.Count, node.Engine.Counters.JobsDone - 1)));
        Assert.True(await node.HoldsAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_silent_peer_is_left_and_only_an_idempotent_job_runs_again(bool idempotent)
    {
        await using PeerNode node = await PeerNode.StartAsync("a");
        (RawLink raw, TestCall call) = await ForwardAsync(node, new JobPolicy { Idempotent = idempotent });
        using RawLink link = raw;
        await node.UntilAsync(() => node.Forwarder.Links is [{ } one] && !one.Load.IsEligible(node.Loop.NowNs)); // 300 ms without news
        if (idempotent)
        {
            await node.UntilAsync(() => node.Engine.Counters.JobsRetried == 1);
        }
        else
        {
            Assert.Equal(new CallEnd(502, "node raw is unreachable; the job may or may not have run", 0, 0), await call.Ended);
        }

        Assert.True(await node.HoldsAsync());
    }

    /// <summary>A job that a raw peer has.</summary>
    private async Task<(RawLink Link, TestCall Call)> ForwardAsync(PeerNode node, JobPolicy policy)
    {
        node.Knows("raw", At);
        Assert.Equal(0, (await (await node.CallAsync("sleep 50")).Ended).Code);
        Task<RawLink> accepted = RawLink.AcceptAsync(_listener, "raw");
        await node.CallAsync("hang");
        RawLink link = await Opened(node, accepted);
        using CancellationTokenSource taken = new();
        Task news = TellAsync(link, taken.Token); // news that are too old would keep the job at home
        await node.UntilAsync(() => node.Forwarder.Links is [{ } one] && one.Load.IsEligible(node.Loop.NowNs));
        TestCall call = await node.CallAsync("echo", policy);
        RawMessage first = (await link.ReadJobAsync())!;
        Assert.Equal(2UL, first.Channel);
        await taken.CancelAsync();
        await news;
        return (link, call);
    }

    /// <summary>Tells a node again and again that there is room, as real nodes do.</summary>
    private static async Task TellAsync(RawLink link, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await link.SendAsync(sink => new LoadNews(new LoadReport(4, 0, 0, 1_000_000), IsOpen: true).Write(sink, PeerHello.Channel));
            await Task.Delay(PeerLimits.NewsMs / 2, CancellationToken.None);
        }
    }

    /// <summary>The node looks for peers, and finds this one.</summary>
    private static async Task<RawLink> Opened(PeerNode node, Task<RawLink> accepted)
    {
        await node.On(() => node.Forwarder.Choose(new OwnQueue(0, 1, 0, false)));
        return await accepted;
    }

    private static byte[] Call(ulong channel, string name, string task = "task")
    {
        MemorySink arguments = new();
        byte[] text = new byte[128];
        int at = MsgPackEncoder.WriteArrayHead(text, 2);
        foreach (string one in (string[])[name, task])
        {
            at += MsgPackEncoder.WriteStringHead(text.AsSpan(at), (uint)one.Length);
            at += System.Text.Encoding.UTF8.GetBytes(one, text.AsSpan(at));
        }

        MessageWriter.WriteArguments(arguments, channel, text.AsSpan(0, at));
        MessageWriter.WriteClose(arguments, channel);
        return arguments.Written.ToArray();
    }

    private static void WriteLoad(MessageSink sink, ulong slots, ulong meanUs)
    {
        byte[] to = new byte[64];
        to[0] = 0x91;
        to[1] = 0x95;
        int at = 2;
        foreach (ulong number in (ulong[])[slots, 0, 0, meanUs, 1])
        {
            at += MsgPackEncoder.WriteUnsigned(to.AsSpan(at), number);
        }

        MessageWriter.WriteArguments(sink, 1, to.AsSpan(0, at));
    }

    private static byte[] Written(Action<MessageSink> write)
    {
        MemorySink sink = new();
        write(sink);
        return sink.Written.ToArray();
    }
}
