using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Worker.Tests;

/// <summary>An app that calls another app with the client library, in a thread of the node and in a process.</summary>
public class AskingTests
{
    public static TheoryData<BackendType, string> Backends => DotNetApps.Backends;

    [Theory]
    [MemberData(nameof(Backends))]
    public Task An_app_calls_another_one(BackendType backend, string pipe) => CallsAsync(backend, pipe, byName: false);

    [Theory]
    [MemberData(nameof(Backends))]
    public Task An_app_finds_another_one_by_its_name(BackendType backend, string pipe) => CallsAsync(backend, pipe, byName: true);

    private static async Task CallsAsync(BackendType backend, string pipe, bool byName)
    {
        await using TestNode node = TestNode.Start(byName ? "tcp://*:0" : null);
        RunningApp other = await node.AddAsync(TestApps.DotNet(BackendType.Thread, new EngineSettings { PoolLimit = 1, QueueLimit = 200 }));
        EngineSettings engine = new() { PoolLimit = 1, Concurrency = 16, QueueLimit = 200 };
        RunningApp app = await node.AddAsync(DotNetApps.Of("Asking", backend, pipe, engine));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        Task<byte[]>[] calls = [.. Enumerable.Range(0, 100)
            .Select(i => client.CallAsync("ask", Utf8.Of($"{(byName ? other.Name : other.Endpoints[0].Endpoint)}\necho\nhello {i}")))];
        byte[][] answers = await Task.WhenAll(calls).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"hello {i}"), answers.Select(Encoding.UTF8.GetString));
    }
}
