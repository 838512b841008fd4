using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Harness;

/// <summary>
/// The app Gated of tests/dotnet-apps, whose handler <c>sum</c> reads its request when a gate opens: the first chunk of the request names
/// the gate.
/// </summary>
internal sealed class GatedApp : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly List<Socket> _handlers = [];
    private readonly string _path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"gate-{Guid.NewGuid():N}");

    public GatedApp()
    {
        _listener.Bind(new UnixDomainSocketEndPoint(_path));
        _listener.Listen();
    }

    /// <summary>The gate's name for the handler.</summary>
    public byte[] Path => Encoding.UTF8.GetBytes(_path);

    public static AppManifest Manifest(BackendType backend, EngineSettings engine) => TestApps.DotNet(backend, engine) with
    {
        Name = "gated",
        Code = new CodeSource
        {
            Source = $"{System.IO.Path.Combine(Repository.Root, "tests/dotnet-apps/bin/Release/net10.0/DotNetApps.dll")}:Cocaine.TestApps.Gated",
        },
    };

    /// <summary>Waits for a handler to stand at the gate.</summary>
    public async Task AwaitHandlerAsync() => _handlers.Add(await _listener.AcceptAsync().WaitAsync(TimeSpan.FromSeconds(30)));

    /// <summary>Lets the handlers at the gate go on.</summary>
    public void Open() => _handlers.ForEach(handler => handler.Send([1]));

    public void Dispose()
    {
        _listener.Dispose();
        _handlers.ForEach(handler => handler.Dispose());
        File.Delete(_path);
    }
}
