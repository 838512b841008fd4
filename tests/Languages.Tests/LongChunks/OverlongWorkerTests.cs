using System.Text;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Languages.Tests.LongChunks;

/// <summary>A worker sends a chunk that is longer than a message may be: the job fails, and nothing else.</summary>
public class OverlongWorkerTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("1", 70_000_000)]
    [InlineData("0", 70_000_000)]
    [InlineData("1", (64 << 20) + 1)]
    [InlineData("0", (64 << 20) + 1)]
    public async Task The_job_fails_with_413_and_the_slave_and_its_other_jobs_go_on(string pipe, int size)
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { PoolLimit = 1, Concurrency = 8 };
        RunningApp app = await node.AddAsync(TestApps.Python(
            "overlong.py", engine, new Dictionary<string, string> { ["COCAINE_PIPE"] = pipe }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        ClientCall[] innocents = [.. Enumerable.Range(0, 3).Select(_ => client.Open("small"))];
        foreach (ClientCall call in innocents)
        {
            Assert.Equal("begun", await TextAsync(call));
        }

        int pid = await PidAsync(app);
        for (int i = 0; i < 2; i++)
        {
            ClientCall big = client.Open("big");
            await big.WriteAsync(Utf8.Of($"{size}"));
            await big.CompleteAsync();
            Assert.Equal("first", await TextAsync(big));
            CocaineException failure = await Assert.ThrowsAsync<CocaineException>(() => TextAsync(big));
            Assert.Equal((1000, 413), (failure.Category, failure.Code));
            Assert.Equal($"the worker sent {size} bytes in one message, which has at most {64 << 20}: write them in pieces", failure.Message);
            await big.DisposeAsync();
        }

        byte[] most = new byte[64 << 20];
        Assert.Equal(most.Length, (await client.CallAsync("echo", most).WaitAsync(Limit)).Length); // the longest chunk that is right
        foreach (ClientCall call in innocents)
        {
            await call.WriteAsync(Utf8.Of("on"));
            await call.CompleteAsync();
            Assert.Equal("on", await TextAsync(call));
            await call.DisposeAsync();
        }

        Assert.Equal(pid, await PidAsync(app)); // the same slave
        Assert.Empty(node.Node.Quarantine.List(null));
    }

    private static async Task<int> PidAsync(RunningApp app)
    {
        using JsonDocument info = JsonDocument.Parse(await app.InfoJsonAsync());
        return Assert.Single(info.RootElement.GetProperty("pool").GetProperty("slaves").EnumerateArray().ToArray()).GetProperty("pid").GetInt32();
    }

    private static async Task<string> TextAsync(ClientCall call) =>
        await call.ReadAsync().AsTask().WaitAsync(Limit) is { } chunk ? Encoding.UTF8.GetString(chunk.Span) : "the end";
}
