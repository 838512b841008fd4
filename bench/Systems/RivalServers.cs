using System.Net;
using Cocaine.Fast.Bench.Load;
using Grpc.AspNetCore.Server.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NATS.Client.Core;
using NetMQ;
using NetMQ.Sockets;

namespace Cocaine.Fast.Bench.Systems;

/// <summary>Echo on what a user would take instead.</summary>
internal static class RivalServers
{
    /// <summary>gRPC on Kestrel, cleartext HTTP/2.</summary>
    public static async Task GrpcAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options =>
            options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton<IServiceMethodProvider<EchoService>, EchoMethods>();
        WebApplication app = builder.Build();
        app.MapGrpcService<EchoService>();
        await app.StartAsync();
        string address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        Console.WriteLine($"ready tcp{address["http".Length..]}");
        await Console.In.ReadToEndAsync();
    }

    /// <summary>A NetMQ ROUTER.</summary>
    public static async Task NetMqAsync()
    {
        using RouterSocket router = new();
        int port = router.BindRandomPort("tcp://127.0.0.1");
        using NetMQPoller poller = [router];
        Msg identity = default, body = default;
        identity.InitEmpty();
        body.InitEmpty();
        router.ReceiveReady += (_, _) =>
        {
            while (router.TryReceive(ref identity, TimeSpan.Zero))
            {
                router.Receive(ref body);
                router.TrySend(ref identity, TimeSpan.Zero, more: true);
                router.TrySend(ref body, TimeSpan.Zero, more: false);
            }
        };
        poller.RunAsync("router");
        Console.WriteLine($"ready tcp://127.0.0.1:{port}");
        await Console.In.ReadToEndAsync();
    }

    /// <summary>One who answers at a NATS server.</summary>
    public static async Task NatsAsync(string url)
    {
        await using NatsConnection connection = new(new NatsOpts { Url = url });
        await connection.ConnectAsync();
        _ = Task.Run(async () =>
        {
            await foreach (NatsMsg<byte[]> message in connection.SubscribeAsync<byte[]>("echo"))
            {
                await message.ReplyAsync(message.Data);
            }
        });
        await connection.PingAsync();
        Console.WriteLine("ready responder");
        await Console.In.ReadToEndAsync();
    }

    private sealed class EchoService;

    private sealed class EchoMethods : IServiceMethodProvider<EchoService>
    {
        public void OnServiceMethodDiscovery(ServiceMethodProviderContext<EchoService> context) =>
            context.AddUnaryMethod(GrpcLoad.Echo, [], (_, request, _) => Task.FromResult(request));
    }
}
