using System.Diagnostics;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Tests.Flow;

/// <summary>Payloads of every length come whole, in company, and when their workers are killed in the middle of them.</summary>
[Collection(nameof(Alone))]
public class LongPayloadTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private static readonly int[] Lengths =
    [
        0, 1, 4055, 4056, 4095, 4096, 4097, 16_383, 16_384, 65_000, 65_535, 65_536, 65_537, 131_072, 262_100, 262_144, 262_145, 1 << 20, 3_000_001,
    ];

    [Theory]
    [InlineData("dotnet", BackendType.Thread, true, 1 << 20)]
    [InlineData("dotnet", BackendType.Thread, true, 64 << 10)]
    [InlineData("dotnet", BackendType.Process, true, 1 << 20)]
    [InlineData("dotnet", BackendType.Process, true, 64 << 10)]
    [InlineData("dotnet", BackendType.Process, false, 1 << 20)]
    [InlineData("python", BackendType.Process, true, 1 << 20)]
    public async Task Requests_of_all_lengths_come_back_whole(string language, BackendType backend, bool pipe, int pipeBytes)
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { Concurrency = 16, QueueLimit = 0, PoolLimit = 2, PipeSizeBytes = pipeBytes };
        Dictionary<string, string> env = new() { ["COCAINE_PIPE"] = pipe ? "1" : "0" };
        RunningApp app = await node.AddAsync(language == "python" ? TestApps.Python("behaviours.py", engine, env) : TestApps.DotNet(backend, engine, env));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async number =>
        {
            Random random = new(number);
            await using CocaineClient client = await TestNode.ConnectAsync(app);
            for (int round = 0; round < 3; round++)
            {
                IEnumerable<int> lengths = Lengths.Append(number == 0 && round == 0 ? 16 << 20 : 70_000).Select(length => Math.Max(0, length - random.Next(3)));
                await Task.WhenAll(lengths.Select(length => EchoAsync(client, random.Next(), length)));
            }
        })).WaitAsync(Limit);
        await app.UntilAsync(info => info.GetProperty("jobs").GetProperty("running").GetInt32() == 0);
    }

    [Fact]
    public async Task Each_long_request_has_one_right_answer_or_one_error_when_workers_are_killed()
    {
        const int Kills = 12;
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { Concurrency = 16, QueueLimit = 0, PoolLimit = 2, RetryLimit = 3 };
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Process, engine));
        using CancellationTokenSource stop = new();
        int right = 0, failed = 0;
        Task[] clients = [.. Enumerable.Range(0, 4).Select(number => Task.Run(async () =>
        {
            Random random = new(number);
            await using CocaineClient client = await TestNode.ConnectAsync(app);
            while (!stop.IsCancellationRequested)
            {
                await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
                {
                    try
                    {
                        await EchoAsync(client, random.Next(), random.Next(400_000)).WaitAsync(Limit);
                        Interlocked.Increment(ref right);
                    }
                    catch (CocaineException)
                    {
                        Interlocked.Increment(ref failed); // its answer had begun, or its slaves died too often
                    }
                }));
            }
        }))];
        for (int kill = 0; kill < Kills; kill++)
        {
            int until = Volatile.Read(ref right) + 50;
            await app.UntilAsync(info => Volatile.Read(ref right) >= until && Pids(info).Length > 0);
            using JsonDocument info = JsonDocument.Parse(await app.InfoJsonAsync());
            foreach (int pid in Pids(info.RootElement))
            {
                Kill(pid);
            }
        }

        await stop.CancelAsync();
        await Task.WhenAll(clients).WaitAsync(Limit); // a lost request would wait for ever
        await app.UntilAsync(info => info.GetProperty("jobs").GetProperty("running").GetInt32() == 0);
        using JsonDocument last = JsonDocument.Parse(await app.InfoJsonAsync());
        JsonElement jobs = last.RootElement.GetProperty("jobs");
        Assert.Equal((right, failed), (jobs.GetProperty("done").GetInt32(), jobs.GetProperty("failed").GetInt32()));
        Assert.InRange(failed, 0, right / 2);
    }

    private static async Task EchoAsync(CocaineClient client, int seed, int length)
    {
        byte[] request = new byte[length];
        new Random(seed).NextBytes(request);
        byte[] answer = await client.CallAsync("echo", request);
        Assert.True(request.AsSpan().SequenceEqual(answer), $"{length} bytes were answered with {answer.Length} others");
    }

    private static int[] Pids(JsonElement info) =>
        [.. info.GetProperty("pool").GetProperty("slaves").EnumerateArray()
            .Where(slave => slave.GetProperty("state").GetString() is "idle" or "busy")
            .Select(slave => slave.GetProperty("pid").GetInt32())];

    private static void Kill(int pid)
    {
        using Process process = Process.GetProcessById(pid);
        process.Kill();
    }
}
