using Cocaine.Fast.Drivers.Tests.ZeroMq.Wire;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq;

/// <summary>More connections at a ZeroMQ port than the node has descriptors.</summary>
[Collection(nameof(Alone))]
public sealed class DescriptorTests : IDisposable
{
    private const int Descriptors = 300, Port = 19_423;
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_node_without_descriptors_turns_peers_away_and_serves_the_others()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, Descriptors);
        string file = _folder.Write("app.json", $$"""
            {
              "type": "dotnet", "engine": { "backend": "thread", "pool-limit": 1 },
              "args": "{{Path.Combine(Repository.Root, "examples/dotnet-echo/bin/Release/net10.0/DotNetEcho.dll")}}",
              "tasks": { "echo": { "type": "zeromq-server", "endpoint": "tcp://127.0.0.1:{{Port}}" } }
            }
            """);
        Assert.True((await serve.RunAsync("app", "create", file)).Code == 0, serve.Log);
        string endpoint = $"tcp://127.0.0.1:{Port}";
        using ZeroMqPeer good = new();
        await AskAsync("before");
        for (int round = 0; round < 2; round++)
        {
            WirePeer[] idle = [.. Enumerable.Range(0, Descriptors + 50).Select(_ => new WirePeer(endpoint))];
            Array.ForEach(idle, peer => peer.TrySend(WireBytes.Greeting()));
            await serve.UntilLogAsync("descriptors");
            await good.SendTextAsync("before", "still there");
            Assert.Equal(["still there"], await good.ReceiveTextAsync("before"));
            Assert.False(serve.Process.HasExited, serve.Log);
            Array.ForEach(idle, peer => peer.Dispose());
            await AskAsync($"after {round}");
        }

        async Task AskAsync(string socket)
        {
            await good.OpenAsync(socket, "REQ", endpoint);
            await good.SendTextAsync(socket, "hello");
            Assert.Equal(["hello"], await good.ReceiveTextAsync(socket));
        }
    }
}
