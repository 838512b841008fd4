using System.Diagnostics;

namespace Cocaine.Fast.Client.Tests.Tls;

/// <summary><c>openssl s_server</c>: a server of TLS that speaks no other protocol.</summary>
internal sealed class OpenSslServer : IDisposable
{
    private readonly Process _process;

    private OpenSslServer(Process process, int port)
    {
        _process = process;
        Port = port;
    }

    public int Port { get; }

    public string Endpoint => $"tls://127.0.0.1:{Port}";

    public static async Task<OpenSslServer> StartAsync(TestCertificate certificate, string words = "")
    {
        ProcessStartInfo start = new("/bin/sh",
            ["-c", $"exec openssl s_server -accept 127.0.0.1:0 -cert '{certificate.CertificateFile}' -key '{certificate.KeyFile}' -naccept 20 {words}"])
        {
            RedirectStandardInput = true, // its end would end the server
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process process = Process.Start(start)!;
        _ = process.StandardError.ReadToEndAsync();
        string? line;
        do
        {
            line = await process.StandardOutput.ReadLineAsync();
        }
        while (line?.StartsWith("ACCEPT ", StringComparison.Ordinal) == false);

        Assert.NotNull(line);
        _ = process.StandardOutput.ReadToEndAsync();
        return new OpenSslServer(process, int.Parse(line[(line.LastIndexOf(':') + 1)..]));
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
