using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Tests.Frameworks;

/// <summary>A worker and a client that behave like the oldest public frameworks, through the node.</summary>
public class OldestFrameworkTests
{
    [Fact]
    public async Task The_oldest_worker_and_the_oldest_client_keep_the_whole_contract()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Manifest());
        using OldestClient client = new(app.Endpoints[0].Endpoint);
        Assert.Equal(" close", await client.CallAsync("echo"));
        Assert.Equal(" close", await client.CallAsync("echo", [[]]));
        foreach (int size in (int[])[1, 31, 32, 64, 255, 256, 65_535, 65_536, 1 << 20])
        {
            string text = new('x', size);
            Assert.Equal(text + " close", await client.CallAsync("echo", Encoding.UTF8.GetBytes(text)));
        }

        Assert.Equal("one two three close", await client.CallAsync("echo", "one "u8.ToArray(), [], "two "u8.ToArray(), "three"u8.ToArray()));
        Assert.Equal("01234 close", await client.CallAsync("count", "5"u8.ToArray()));
        Assert.Equal(" error 42 100 no luck", await client.CallAsync("raises", "no luck"u8.ToArray()));
        Assert.Equal("first error 42 100 no luck", await client.CallAsync("raises_late", "no luck"u8.ToArray()));
        Assert.Equal(" error 42 77 mine", await client.CallAsync("refuses"));
        Assert.Equal(" error 42 200 There is no handler for an event nothing", await client.CallAsync("nothing"));
        Assert.Equal("slept close", await client.CallAsync("sleeps", "300"u8.ToArray()));
        Assert.Equal("[80, 81, 82] close", await client.CallAsync("headers"));
        Assert.Matches("^oldest [0-9a-f-]{36} whoami close$", await client.CallAsync("whoami"));
        Assert.Equal("printed close", await client.CallAsync("prints", "a line"u8.ToArray()));
        Assert.Contains("\"pipe\":\"socket\"", await app.InfoJsonAsync());
    }

    [Fact]
    public async Task A_message_of_the_largest_size_goes_through_the_oldest_client_and_worker()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Manifest());
        using OldestClient client = new(app.Endpoints[0].Endpoint);
        byte[] data = new byte[ProtocolLimits.Default.MaxMessageBytes];
        Array.Fill(data, (byte)'x');
        string answer = await client.CallAsync("echo", data);
        Assert.Equal(data.Length + " close".Length, answer.Length);
        Assert.Equal(data.Length, answer.AsSpan().IndexOfAnyExcept('x'));
        Assert.Equal("next close", await client.CallAsync("echo", "next"u8.ToArray()));
    }

    [Fact]
    public async Task Streams_go_both_ways_and_what_is_late_is_ignored()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Manifest());
        using OldestClient client = new(app.Endpoints[0].Endpoint);
        ulong channel = client.Enqueue("relay");
        for (int i = 0; i < 10; i++)
        {
            client.Chunk(channel, Encoding.ASCII.GetBytes($"chunk {i}"));
            Assert.Equal($"{channel} chunk chunk {i}", (await client.NextAsync()).ToString());
        }

        client.Close(channel);
        Assert.Equal(" close", await client.AnswerAsync(channel));
        client.Chunk(channel, "late"u8.ToArray());
        client.Close(channel);
        client.GiveUp(channel);
        Assert.Equal("next close", await client.CallAsync("echo", "next"u8.ToArray()));
    }

    [Fact]
    public async Task A_client_that_gives_up_gets_its_terminal_and_the_worker_sees_the_cancel()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Manifest());
        using OldestClient client = new(app.Endpoints[0].Endpoint);
        ulong channel = client.Enqueue("waits");
        Assert.Equal($"{channel} chunk waiting", (await client.NextAsync()).ToString());
        client.GiveUp(channel);
        Assert.Equal(" error 42 7 enough", await client.AnswerAsync(channel));
        Assert.Equal("next close", await client.CallAsync("echo", "next"u8.ToArray()));
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
        while (!node.Log.Contains("waits was cancelled"))
        {
            limit.Token.ThrowIfCancellationRequested();
            await app.InfoJsonAsync(); // a turn of the loop that reads the worker's output
        }
    }

    [Fact]
    public async Task A_worker_that_ignores_terminate_is_killed_after_the_termination_timeout()
    {
        TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Manifest());
        using OldestClient client = new(app.Endpoints[0].Endpoint);
        Assert.Equal("x close", await client.CallAsync("echo", "x"u8.ToArray()));
        await node.DisposeAsync();
        Assert.Contains("did not end within the termination-timeout of 500 ms", node.Log);
    }

    internal static AppManifest Manifest(string? replay = null)
    {
        AppManifest manifest = TestApps.DotNet(BackendType.Process);
        return manifest with
        {
            Name = "oldest",
            Type = AppType.Binary,
            Code = new CodeSource
            {
                Source = Path.Combine(Repository.Root, "tests/contract/oldest/oldest.py"),
                Env = replay is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["REPLAY"] = replay },
            },
            Engine = manifest.Engine with { TerminationTimeoutMs = 500, Concurrency = 16 },
        };
    }
}
