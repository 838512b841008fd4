using System.Net;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Drivers.Custom;
using Cocaine.Fast.Node;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Worker;

// The registration: manifests may now say "type": "udp-listener".
Dictionary<string, Func<CustomDriver>> drivers = new() { ["udp-listener"] = () => new DriverExample.UdpListener() };

string file = Path.Combine(System.AppContext.BaseDirectory, "manifest.json");
ManifestResult read = ManifestReader.ReadFile(file, checkFiles: true, customDrivers: drivers.Keys);
if (read.Manifest is null)
{
    Console.Error.WriteLine(string.Join('\n', read.Problems));
    return 2;
}

await using CocaineNode node = new(new NodeOptions { Locator = null, Drivers = drivers });
node.Start();
RunningApp app = await node.AddAsync(read.Manifest);
await app.Ready;
string endpoint = app.Endpoints[0].Endpoint;
Console.WriteLine($"ready task={app.Endpoints[0].Task} endpoint={endpoint}");

// A client, and what info says about the driver.
using UdpClient client = new();
client.Connect(IPEndPoint.Parse(endpoint["udp://".Length..]));
await client.SendAsync(Encoding.UTF8.GetBytes("hello"));
UdpReceiveResult answer = await client.ReceiveAsync(new CancellationTokenSource(TimeSpan.FromSeconds(10)).Token);
Console.WriteLine(Encoding.UTF8.GetString(answer.Buffer));
using System.Text.Json.JsonDocument info = System.Text.Json.JsonDocument.Parse(await app.InfoJsonAsync());
Console.WriteLine($"received: {info.RootElement.GetProperty("tasks").GetProperty("shout").GetProperty("received")}");
return 0;

namespace DriverExample
{
    /// <summary>The app behind it: the event has the task's name.</summary>
    public sealed class Shouter
    {
        [Event("shout")]
        public string Shout(string text) => text.ToUpperInvariant();
    }
}
