using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Bench.Tls;

/// <summary>Kestrel without HTTP: a connection's bytes go back as they came, once plain and once over its TLS.</summary>
internal static class KestrelEcho
{
    /// <summary>Serves until standard input ends.</summary>
    public static async Task RunAsync(string certificateFile, string keyFile)
    {
        using X509Certificate2 read = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.Listen(IPAddress.Loopback, 0, listen => listen.Run(EchoAsync));
            options.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.UseHttps(new HttpsConnectionAdapterOptions
                {
                    ServerCertificate = read,
                    SslProtocols = System.Security.Authentication.SslProtocols.Tls13,
                    OnAuthenticate = static (_, tls) => tls.ApplicationProtocols = [new SslApplicationProtocol("cocaine-fast/1")],
                });
                listen.Run(EchoAsync);
            });
        });
        WebApplication app = builder.Build();
        await app.StartAsync();
        string[] ports = [.. app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
            .Select(address => address[(address.LastIndexOf(':') + 1)..])];
        Console.WriteLine($"ready {ports[0]} {ports[1]}");
        await Console.In.ReadToEndAsync();
    }

    private static async Task EchoAsync(ConnectionContext connection)
    {
        PipeReader input = connection.Transport.Input;
        PipeWriter output = connection.Transport.Output;
        while (true)
        {
            ReadResult read = await input.ReadAsync();
            foreach (ReadOnlyMemory<byte> part in read.Buffer)
            {
                output.Write(part.Span);
            }

            input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted || (await output.FlushAsync()).IsCompleted)
            {
                return;
            }
        }
    }
}
