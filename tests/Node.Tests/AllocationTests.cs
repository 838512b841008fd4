using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Tools.Load;
using Cocaine.Fast.Transport.Linux;
using Xunit.Abstractions;

namespace Cocaine.Fast.Node.Tests;

/// <summary>
/// Counts every byte that the whole process allocates, node, client and, with a thread slave, the slave:
/// GC.GetTotalAllocatedBytes(precise).
/// </summary>
[Collection(nameof(Alone))]
public class AllocationTests(ITestOutputHelper output)
{
    private const int Requests = 100_000;

    /// <summary>
    /// What the runtime itself may allocate meanwhile (tiering, thread pool growth, timers of the test host): far less than a
    /// byte a request.
    /// </summary>
    private const long RuntimeNoiseBytes = 64 << 10;

    [Theory]
    [InlineData(BackendType.Thread, 1024, 1)]
    [InlineData(BackendType.Process, 1024, 1)]
    [InlineData(BackendType.Thread, 1, 1)]
    [InlineData(BackendType.Process, 1, 1)]
    [InlineData(BackendType.Process, 1, 6)] // jobs stand ahead, are taken back and go to other slaves; slaves sleep and wake
    public async Task A_hundred_thousand_requests_allocate_nothing(BackendType backend, int concurrency, int slaves)
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { Concurrency = concurrency, QueueLimit = 4096, PoolLimit = slaves, PoolMinimum = slaves };
        RunningApp app = await node.AddAsync(TestApps.DotNet(backend, engine));
        LoadOptions warm = new(app.Endpoints[0].Endpoint, "echo", 8, 8, 64, TimeSpan.FromSeconds(3));
        LoadResult result = await LoadRunner.RunAsync(warm);
        Assert.Equal((0, 0), (result.Mismatches, result.Errors.Count));

        // The load's own connections are made before the count: its objects are not the node's.
        long requests = 0;
        (long bytes, string types) = await AllocationCount.LeastAsync(RuntimeNoiseBytes, async () =>
        {
            (long count, requests) = await LoadCount.CountAsync(app.Endpoints[0].Endpoint, Requests);
            return count;
        });
        output.WriteLine($"{backend}, {slaves} slaves of concurrency {concurrency}: {bytes} bytes in {requests} requests");
        Assert.InRange(requests, Requests, int.MaxValue);
        Assert.True(bytes <= RuntimeNoiseBytes, types);
    }

    [Fact]
    public async Task A_hundred_thousand_requests_that_rules_allow_allocate_nothing()
    {
        Identity me = new() { Name = "me", Users = [$"{PeerCredentials.OwnUser}"], CallsPerSecond = 100_000_000 };
        RightsRule rule = new() { Callers = ["me"], Calls = [new CallGrant(new NamePattern("dotnet-*"), [new NamePattern("e*o")])] };
        await using TestNode node = TestNode.Start(security: new SecurityConfig { Identities = [me], Rights = [rule] });
        using TestFolder folder = new();
        AppManifest manifest = TestApps.DotNet(BackendType.Thread);
        RunningApp app = await node.AddAsync(
            manifest with { Tasks = [manifest.Tasks[0] with { Endpoints = [$"ipc://{folder["app.sock"]}"] }] });
        LoadOptions warm = new(app.Endpoints[0].Endpoint, "echo", 8, 8, 64, TimeSpan.FromSeconds(3));
        LoadResult result = await LoadRunner.RunAsync(warm);
        Assert.Equal((0, 0), (result.Mismatches, result.Errors.Count));
        long requests = 0;
        (long bytes, string types) = await AllocationCount.LeastAsync(RuntimeNoiseBytes, async () =>
        {
            (long count, requests) = await LoadCount.CountAsync(app.Endpoints[0].Endpoint, Requests);
            return count;
        });
        output.WriteLine($"{bytes} bytes in {requests} requests");
        Assert.InRange(requests, Requests, int.MaxValue);
        Assert.True(bytes <= RuntimeNoiseBytes, types);
    }

    [Theory]
    [InlineData(BackendType.Thread, 4, 2, 64 << 10, 4000)]
    [InlineData(BackendType.Thread, 2, 2, 1 << 20, 400)]
    [InlineData(BackendType.Thread, 1, 1, 16 << 20, 20)]
    [InlineData(BackendType.Process, 4, 2, 64 << 10, 4000)]
    [InlineData(BackendType.Process, 16, 8, 64 << 10, 4000)]
    [InlineData(BackendType.Process, 2, 2, 1 << 20, 400)]
    [InlineData(BackendType.Process, 1, 1, 16 << 20, 20)]
    public async Task Long_requests_allocate_nothing(BackendType backend, int connections, int inFlight, int sizeBytes, int count)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(backend));
        string endpoint = app.Endpoints[0].Endpoint;
        LoadOptions warm = new(endpoint, "echo", connections, inFlight, sizeBytes, TimeSpan.FromSeconds(3));
        LoadResult result = await LoadRunner.RunAsync(warm);
        Assert.Equal((0, 0), (result.Mismatches, result.Errors.Count));
        long requests = 0;
        (long bytes, string types) = await AllocationCount.LeastAsync(RuntimeNoiseBytes, async () =>
        {
            (long size, requests) = await LoadCount.CountAsync(endpoint, count, sizeBytes, connections, inFlight);
            return size;
        });
        output.WriteLine($"{backend}: {bytes} bytes in {requests} requests");
        Assert.InRange(requests, count, int.MaxValue);
        Assert.True(bytes <= RuntimeNoiseBytes, types);
    }

    [Theory]
    [InlineData("no", 64, false)]
    [InlineData("required", 64, false)]
    [InlineData("required", 64, true)]
    [InlineData("required", 64 << 10, true)]
    public async Task A_call_of_the_client_allocates_nothing(string mode, int sizeBytes, bool hasRules)
    {
        using SealKeys keys = new("billing");
        Identity billing = new() { Name = "shop", RsaKeys = ["billing"], CallsPerSecond = 100_000_000 };
        RightsRule rule = new() { Callers = ["shop"], Calls = [new CallGrant(new NamePattern("dotnet-*"), [new NamePattern("e*o")])] };
        SecurityConfig? rules = hasRules ? new SecurityConfig { Identities = [billing], Rights = [rule] } : null;
        await using TestNode node = TestNode.Start(keysDirectory: keys.Folder, security: rules);
        AppManifest manifest = TestApps.DotNet(BackendType.Thread);
        RunningApp app = await node.AddAsync(manifest with
        {
            Tasks = [manifest.Tasks[0] with { Keys = new Dictionary<string, object> { ["sealed"] = mode } }],
        });
        ClientOptions? options = mode == "required" ? keys.Options("billing", app.Name) : null;
        await using CocaineClient client = await CocaineClient.ConnectAsync(app.Endpoints[0].Endpoint, options);
        byte[] request = Encoding.UTF8.GetBytes(new string('x', sizeBytes));
        System.Buffers.ArrayBufferWriter<byte> answer = new(2 * sizeBytes);
        int calls = sizeBytes == 64 ? 20_000 : 2000;
        // Off the test's own synchronization context, which allocates for each continuation.
        await Task.Run(() => CallAsync(client, request, answer, 20_000));
        (long bytes, string types) = await AllocationCount.LeastAsync(
            RuntimeNoiseBytes, () => AllocationCount.OfAsync(() => Task.Run(() => CallAsync(client, request, answer, calls))));
        output.WriteLine($"{bytes} bytes in {calls} calls");
        Assert.True(bytes <= RuntimeNoiseBytes, types);
    }

    [Fact]
    public async Task A_streamed_call_of_the_client_allocates_nothing()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Process)); // a handler that waits for chunks has objects of its own
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        await Task.Run(() => StreamAsync(client, 10_000));
        (long bytes, string types) = await AllocationCount.LeastAsync(
            RuntimeNoiseBytes, () => AllocationCount.OfAsync(() => Task.Run(() => StreamAsync(client, 10_000))));
        output.WriteLine($"{bytes} bytes in 10,000 calls of three chunks each way");
        Assert.True(bytes <= RuntimeNoiseBytes, types);
    }

    [Fact]
    public async Task A_hundred_thousand_lines_of_a_raw_server_allocate_nothing()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.DotNetApp("echo", "line"));
        using RawPeer first = RawPeer.Connect(app);
        using RawPeer second = RawPeer.Connect(app);
        await Task.Run(() => SendLines(first, second, 50_000));
        (long bytes, string types) = await AllocationCount.LeastAsync(
            RuntimeNoiseBytes, () => AllocationCount.OfAsync(() => Task.Run(() => SendLines(first, second, Requests))));
        output.WriteLine($"{bytes} bytes in {Requests} lines");
        Assert.True(bytes <= RuntimeNoiseBytes, types);
    }

    private static void SendLines(RawPeer first, RawPeer second, int count)
    {
        const int Burst = 50, LineBytes = 64;
        byte[] lines = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(new string('x', LineBytes - 1) + "\n", Burst)));
        byte[] answers = new byte[lines.Length];
        for (int sent = 0; sent < count; sent += 2 * Burst)
        {
            first.Send(lines);
            second.Send(lines);
            first.ReadInto(answers);
            second.ReadInto(answers);
            if (!answers.AsSpan().SequenceEqual(lines))
            {
                Assert.Fail("the answers are not the lines");
            }
        }
    }

    private static async Task StreamAsync(CocaineClient client, int count)
    {
        byte[] chunk = new byte[64];
        for (int i = 0; i < count; i++)
        {
            ClientCall call = client.Open("echo");
            for (int k = 0; k < 3; k++)
            {
                await call.WriteAsync(chunk).ConfigureAwait(false);
                if ((await call.ReadAsync().ConfigureAwait(false))!.Value.Length != chunk.Length)
                {
                    Assert.Fail("the answer is not the request");
                }
            }

            await call.CompleteAsync().ConfigureAwait(false);
            if (await call.ReadAsync().ConfigureAwait(false) is not null)
            {
                Assert.Fail("a chunk too many");
            }

            await call.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task CallAsync(CocaineClient client, byte[] request, System.Buffers.ArrayBufferWriter<byte> answer, int count)
    {
        for (int i = 0; i < count; i++)
        {
            answer.ResetWrittenCount();
            if (await client.CallAsync("echo", request, answer).ConfigureAwait(false) != request.Length)
            {
                Assert.Fail("the answer is not the request");
            }
        }
    }
}
