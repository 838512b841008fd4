using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Worker;

// A node in this process: the app below runs in a thread of it, and is called through the client library.
AppManifest manifest = new()
{
    Name = "greeter",
    Type = AppType.DotNet,
    Code = new CodeSource { Source = $"{typeof(Embedded.Greeter).Assembly.Location}:{typeof(Embedded.Greeter).FullName}" },
    Engine = new EngineSettings { Backend = BackendType.Thread, PoolLimit = 2, Concurrency = 64 },
    Tasks = [new TaskManifest { Name = "greet", DriverType = "native-server", Endpoints = ["tcp://127.0.0.1:0"], Events = ["*"] }],
};

await using CocaineNode node = new(new NodeOptions { Locator = null });
node.Start();
RunningApp app = await node.AddAsync(manifest);
await app.Ready;

await using CocaineClient client = await CocaineClient.ConnectAsync(app.Endpoints[0].Endpoint);
byte[] answer = await client.CallAsync("greet", Encoding.UTF8.GetBytes("world"), new CallOptions { Deadline = TimeSpan.FromSeconds(5) });
Console.WriteLine(Encoding.UTF8.GetString(answer));

// Both ways at once: each chunk comes back before the next one goes.
await using ClientCall call = client.Open("shout");
foreach (string word in (string[])["one", "two", "three"])
{
    await call.WriteAsync(Encoding.UTF8.GetBytes(word));
    Console.WriteLine(Encoding.UTF8.GetString((await call.ReadAsync())!.Value.Span));
}

await call.CompleteAsync();
Console.WriteLine(await call.ReadAsync() is null ? "the end" : "more?");

namespace Embedded
{
    public sealed class Greeter
    {
        [Event("greet")]
        public string Greet(string name) => $"hello, {name}";

        [Event("shout")]
        public async ValueTask Shout(Request request, Response response)
        {
            while (await request.ReadAsync() is { } chunk)
            {
                await response.WriteAsync(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(chunk.Span).ToUpperInvariant()));
            }
        }
    }
}
