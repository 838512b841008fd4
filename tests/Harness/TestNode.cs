using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Harness;

/// <summary>A node in this process with apps on free ports; workers are real processes.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private readonly LogLines _log = new();
    private readonly CocaineNode _node;

    private TestNode(
        string? locator, string? stateDirectory, string? nodeService, SecurityConfig? security, string? keysDirectory, DoorTls locatorTls)
    {
        LedgerDirectory = Path.Combine(Path.GetTempPath(), $"ledger-{Guid.NewGuid():N}");
        _node = new CocaineNode(new NodeOptions
        {
            Loops = 1,
            Locator = locator,
            NodeService = nodeService,
            LocatorTls = locatorTls,
            LedgerDirectory = LedgerDirectory,
            StateDirectory = stateDirectory,
            Security = security ?? new SecurityConfig(),
            KeysDirectory = keysDirectory,
            LoggerFactory = _log,
        });
    }

    /// <summary>This node's own, so that tests side by side do not meet; it goes with the node.</summary>
    public string LedgerDirectory { get; }

    public CocaineNode Node => _node;

    public string Log => _log.Text;

    public LogLines LogLines => _log;

    public static TestNode Start(
        string? locator = null, string? stateDirectory = null, string? nodeService = null, SecurityConfig? security = null,
        string? keysDirectory = null, TlsConfig? tls = null, DoorTls locatorTls = DoorTls.Off)
    {
        SecurityConfig? whole = tls is null ? security : (security ?? new SecurityConfig()) with { Tls = tls };
        TestNode node = new(locator, stateDirectory, nodeService, whole, keysDirectory, locatorTls);
        node._node.Start();
        return node;
    }

    public async Task<RunningApp> AddAsync(AppManifest manifest, bool waitReady = true)
    {
        RunningApp app = await _node.AddAsync(manifest);
        if (waitReady)
        {
            await app.Ready.WaitAsync(TimeSpan.FromSeconds(20));
        }

        return app;
    }

    public static Task<CocaineClient> ConnectAsync(RunningApp app) => CocaineClient.ConnectAsync(app.Endpoints[0].Endpoint);

    public async ValueTask DisposeAsync()
    {
        await _node.StopAsync(TimeSpan.FromSeconds(10));
        _log.Dispose();
        if (Directory.Exists(LedgerDirectory))
        {
            Directory.Delete(LedgerDirectory, recursive: true);
        }
    }
}
