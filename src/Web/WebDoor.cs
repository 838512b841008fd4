using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Node.Daemon;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Web;

/// <summary>
/// The door of a daemon for HTTP, which only reads. A node whose config has no <c>web</c> loads nothing of this room and of its framework.
/// </summary>
public sealed class WebDoor : IAsyncDisposable
{
    /// <summary>Time for answers that are under way when the door closes.</summary>
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(1);

    private readonly WebApplication _server;
    private readonly DoorListener _listener;

    private WebDoor(WebApplication server, DoorListener listener) => (_server, _listener) = (server, listener);

    /// <summary>The endpoints that the door listens on.</summary>
    public IReadOnlyList<string> Endpoints => _listener.Endpoints;

    /// <summary>Opens the door.</summary>
    /// <exception cref="IOException">The endpoint or the file of the token cannot be used: the text says why.</exception>
    public static async Task<WebDoor> OpenAsync(NodeDaemon daemon, WebConfig config, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(daemon);
        ArgumentNullException.ThrowIfNull(config);
        Endpoint at = Endpoint.Parse(config.Endpoint);
        WebToken? token = config.TokenFile is { } file ? WebToken.Read(file) : null;
        WebRequests requests = new(daemon, config, at, token, log);
        DoorListener listener = new(daemon.Node.FirstLoop, at, log);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>(); // the signals are the node's
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            Bound(options.Limits);
            options.AddServerHeader = false;
            options.Listen(DoorListener.Place, place => place.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddSingleton<IConnectionListenerFactory>(listener); // the last one is taken
        WebApplication server = builder.Build();
        server.Run(requests.AnswerAsync);
        try
        {
            await server.StartAsync();
            WebDoor door = new(server, listener);
            WebLog.Listens(log, string.Join(", ", door.Endpoints));
            return door;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource limit = new(StopTime);
        await _server.StopAsync(limit.Token);
        await _server.DisposeAsync();
    }

    /// <summary>A reader sends a short request each few seconds, and reads a text of a few MiB at most.</summary>
    private static void Bound(KestrelServerLimits limits)
    {
        limits.MaxConcurrentConnections = DoorListener.MostConnections;
        limits.MaxRequestBodySize = 0;               // nothing is sent here
        limits.MaxRequestLineSize = 2048;            // a path and some words of a query
        limits.MaxRequestHeadersTotalSize = 8192;    // as other servers have it
        limits.MaxRequestHeaderCount = 40;           // a browser sends 20
        limits.MaxRequestBufferSize = 16 << 10;      // more than a line and its headers
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5); // the request is in one packet
        limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);      // Prometheus comes each minute, or more often
    }

    /// <summary>The server begins and ends with its door, and hears no signal.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
