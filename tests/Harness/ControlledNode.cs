using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Harness;

/// <summary>A node with its control service on a socket of its own, and a client of it.</summary>
internal sealed class ControlledNode : IAsyncDisposable
{
    private readonly ControlService _service;

    private ControlledNode(TestNode node, ControlService service, NodeControlClient client, string folder)
    {
        Node = node;
        _service = service;
        Client = client;
        Folder = folder;
    }

    public TestNode Node { get; }

    public NodeControlClient Client { get; }

    public string Folder { get; }

    public string Endpoint => _service.Endpoint;

    public static async Task<ControlledNode> StartAsync(string? locator = null, SecurityConfig? security = null)
    {
        string folder = Directory.CreateTempSubdirectory("control-").FullName;
        TestNode node = TestNode.Start(locator, security: security);
        string endpoint = $"ipc://{folder}/deeper/control.sock";
        ControlService service = await ControlService.OpenAsync(node.Node, endpoint, new PlainControlHost(node.Node));
        return new ControlledNode(node, service, await NodeControlClient.ConnectAsync(endpoint), folder);
    }

    /// <summary>The manifest of a version, as a file would have it.</summary>
    public ManifestText Text(int version, string file = "versioned.py", string more = "") => new(Utf8.Of($$"""
        {
          "type": "python", "version": {{version}}, "engine": { "queue-limit": 100 },
          "args": { "source": "{{Path.Combine(Repository.Root, "tests/apps", file)}}", "env": { "VERSION": "{{version}}" } },
          "tasks": { "event": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } }{{more}}
        }
        """), Path.Combine(Folder, "app.json"));

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await _service.DisposeAsync();
        await Node.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
