using System.Globalization;

namespace Cocaine.Fast.Node.Tests.Flow;

/// <summary>
/// Clients that read slowly or not at all, and handlers that do, beside others on the same slave: the memory of node and worker stays
/// where it was, nothing fails, and the others are served meanwhile. <c>COCAINE_FLOW_MB</c> sets the size of each stream, 128 otherwise.
/// </summary>
[Collection(nameof(Alone))]
public class SlowPeersTests
{
    /// <summary>The most that a process may grow by.</summary>
    private const double MostMb = 20;

    /// <summary>Until a worker of .NET has the heap that its collector settles at: 18 MB come with the first hundred.</summary>
    private const int WarmUpMb = 96;

    private const int ChunkBytes = 64 << 10, ChunksPerMb = 16, Calls = 200;

    private static readonly int Mb = int.Parse(Environment.GetEnvironmentVariable("COCAINE_FLOW_MB") ?? "128", CultureInfo.InvariantCulture);

    public static TheoryData<string, string, string> Writers => new()
    {
        { "process", "1", "pours" }, { "process", "1", "streams" }, { "process", "1", "mixes" }, { "process", "1", "threads" },
        { "process", "0", "pours" }, { "process", "0", "streams" }, { "thread", "1", "pours" }, { "thread", "1", "streams" },
    };

    public static TheoryData<string, string> Backends => new() { { "process", "1" }, { "process", "0" }, { "thread", "1" } };

    [Theory]
    [MemberData(nameof(Writers))]
    public void Clients_that_do_not_read_cost_no_memory_and_hold_nobody_else(string backend, string pipe, string writer)
    {
        using PouringNode node = PouringNode.Start(new TestFolder(), backend, pipe);
        using PlainClient first = new(node["native"]), second = new(node["native"]), other = new(node["native"]);
        WarmUp(first, writer);
        WarmUp(second, writer);
        IReadOnlyList<long> mark = node.Mark();
        first.Ask(writer, $"{Mb * ChunksPerMb}");
        second.Ask(writer, $"{Mb * ChunksPerMb}");
        for (int i = 0; i < Calls; i++)
        {
            Assert.Equal($"{i}", other.Call("echo", $"{i}"));
        }

        foreach (PlainClient slow in (PlainClient[])[first, second]) // the one that waits first is not the one that reads last
        {
            Assert.Equal("", slow.ReadAnswer(restAfterBytes: 4 << 20));
            Assert.Equal((long)Mb << 20, slow.AnswerBytes);
        }

        AssertGrown(node, mark);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public async Task Handlers_that_do_not_read_cost_no_memory_and_hold_nobody_else(string backend, string pipe)
    {
        using PouringNode node = PouringNode.Start(new TestFolder(), backend, pipe);
        using PlainClient first = new(node["native"]), second = new(node["native"]), other = new(node["native"]);
        other.Call("opens", "warm");
        Upload(first, "warm", WarmUpMb);
        Upload(second, "warm", WarmUpMb);
        IReadOnlyList<long> mark = node.Mark();
        Task uploads = Task.WhenAll(Task.Run(() => Upload(first, "late", Mb)), Task.Run(() => Upload(second, "late", Mb)));
        for (int i = 0; i < Calls; i++)
        {
            Assert.Equal($"{i}", other.Call("echo", $"{i}"));
        }

        Assert.False(uploads.IsCompleted);
        other.Call("opens", "late");
        await uploads;
        AssertGrown(node, mark);
    }

    [Theory]
    [InlineData("process", "1", 16)]
    [InlineData("process", "1", 1)]
    [InlineData("process", "0", 16)]
    [InlineData("thread", "1", 16)]
    public void A_handler_that_is_slower_than_its_caller_costs_no_memory(string backend, string pipe, int concurrency)
    {
        using PouringNode node = PouringNode.Start(new TestFolder(), backend, pipe, concurrency);
        using PlainClient client = new(node["native"]);
        Upload(client, null, WarmUpMb);
        IReadOnlyList<long> mark = node.Mark();
        Upload(client, null, Mb);
        AssertGrown(node, mark);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_raw_stream_that_is_not_read_costs_no_memory(string backend, string pipe)
    {
        using PouringNode node = PouringNode.Start(new TestFolder(), backend, pipe);
        Assert.Equal((long)WarmUpMb << 20, RawStream.Of(node["streams"]).Ask($"{WarmUpMb * ChunksPerMb}", restAfterBytes: 0));
        IReadOnlyList<long> mark = node.Mark();
        Assert.Equal((long)Mb << 20, RawStream.Of(node["streams"]).Ask($"{Mb * ChunksPerMb}", restAfterBytes: 4 << 20));
        AssertGrown(node, mark);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_raw_stream_to_a_slow_handler_costs_no_memory(string backend, string pipe)
    {
        using PouringNode node = PouringNode.Start(new TestFolder(), backend, pipe);
        Assert.Equal($"{(long)WarmUpMb << 20}", RawStream.Of(node["sips"]).Upload(WarmUpMb));
        IReadOnlyList<long> mark = node.Mark();
        Assert.Equal($"{(long)Mb << 20}", RawStream.Of(node["sips"]).Upload(Mb));
        AssertGrown(node, mark);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_sink_with_a_slow_handler_costs_no_memory(string backend, string pipe)
    {
        using PouringNode node = PouringNode.Start(new TestFolder(), backend, pipe);
        using PlainClient client = new(node["drinks"]);
        Upload(client, null, WarmUpMb, toSink: true);
        IReadOnlyList<long> mark = node.Mark();
        Upload(client, null, Mb, toSink: true);
        AssertGrown(node, mark);
    }

    [Theory]
    [InlineData("pours")]
    [InlineData("streams")]
    public void One_job_at_a_time_is_held_alone_too(string writer)
    {
        using PouringNode node = PouringNode.Start(new TestFolder(), "process", "1", concurrency: 1);
        using PlainClient slow = new(node["native"]);
        WarmUp(slow, writer);
        IReadOnlyList<long> mark = node.Mark();
        slow.Ask(writer, $"{Mb * ChunksPerMb}");
        Assert.Equal("", slow.ReadAnswer(restAfterBytes: 1 << 20));
        Assert.Equal((long)Mb << 20, slow.AnswerBytes);
        AssertGrown(node, mark);
    }

    [Theory]
    [InlineData("pours", 16)]
    [InlineData("streams", 16)]
    [InlineData("threads", 16)]
    [InlineData("pours", 1)]
    public void A_cancel_ends_a_handler_that_is_held(string writer, int concurrency)
    {
        using PouringNode node = PouringNode.Start(new TestFolder(), "process", "1", concurrency);
        using (PlainClient slow = new(node["native"]))
        {
            slow.Ask(writer, "100000");
            using PlainClient gone = new(node["native"]);
            gone.Ask(writer, "100000");
            slow.GiveUp();
        }

        using PlainClient next = new(node["native"]); // with one job at a time, its turn comes when the others have ended
        Assert.Equal("on", next.Call("echo", "on"));
    }

    private static void WarmUp(PlainClient client, string writer)
    {
        client.Ask(writer, $"{WarmUpMb * ChunksPerMb}");
        Assert.Equal("", client.ReadAnswer());
    }

    /// <summary>Uploads to a handler that waits for a gate, or to one that reads slowly.</summary>
    private static void Upload(PlainClient client, string? gate, int mb, bool toSink = false)
    {
        client.Open(toSink ? "drinks" : gate is null ? "sips" : "sums");
        if (gate is not null)
        {
            client.Chunk(System.Text.Encoding.UTF8.GetBytes(gate));
        }

        byte[] chunk = new byte[ChunkBytes];
        for (int i = mb * ChunksPerMb; i > 0; i--)
        {
            client.Chunk(chunk);
        }

        client.Close();
        Assert.Equal("", client.ReadAnswer());
        Assert.Equal(toSink ? "" : $"{(long)mb << 20}", client.LastText); // a sink says only that it has the job
    }

    private static void AssertGrown(PouringNode node, IReadOnlyList<long> mark)
    {
        IReadOnlyList<double> grown = node.GrownMb(mark);
        Console.WriteLine($"grown by {string.Join(", ", grown.Select(mb => $"{mb:F1} MB"))}"); // node, worker
        double most = grown.Count == 1 ? 2 * MostMb : MostMb; // a slave in a thread lives in the node's process
        Assert.All(grown, mb => Assert.InRange(mb, double.MinValue, most));
    }
}
