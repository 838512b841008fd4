using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Languages.Tests.Apps;

public class WsgiAppTests
{
    [Fact]
    public async Task An_application_answers_what_a_proxy_sends()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(new AppManifest
        {
            Name = "pages",
            Type = AppType.Python,
            Code = new CodeSource { Source = Path.Combine(Repository.Root, "workers/python/tests/apps/wsgi.py"), Wsgi = "application" },
            Tasks = [new TaskManifest { Name = "http", DriverType = "native-server", Endpoints = ["tcp://127.0.0.1:0"] }],
        });
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        await using ClientCall call = client.Open("http");
        await call.WriteAsync(Convert.FromHexString("95a4504f5354a62f613f783d31a3312e31" + "91" + "92a4486f7374a168" + "c404626f6479"));
        await call.CompleteAsync();
        List<byte[]> chunks = [];
        await foreach (ReadOnlyMemory<byte> chunk in call.ReadAllAsync())
        {
            chunks.Add(chunk.ToArray());
        }

        Assert.Equal("92CCC993", Convert.ToHexString(chunks[0])[..8]); // [201, […three headers…]]
        Assert.Contains("\"QUERY_STRING\": \"x=1\"", Encoding.UTF8.GetString(chunks[1]));
        Assert.Equal("body", Encoding.UTF8.GetString(chunks[2]));
    }
}
