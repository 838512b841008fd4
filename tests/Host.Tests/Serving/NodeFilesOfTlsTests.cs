using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Tests.Serving;

/// <summary>The program and the library of TLS, and files of TLS that systemd loads for it.</summary>
[Collection(nameof(Alone))]
public sealed class NodeFilesOfTlsTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_node_without_security_does_not_load_the_library_before_it_has_an_app()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        await using NodeControlClient control = await serve.ConnectAsync();
        Assert.Empty(await control.ListAsync());
        Assert.DoesNotContain("libssl", Maps(serve), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Certificates_may_be_credentials_that_systemd_loads()
    {
        TestCertificates ca = new(_folder);
        TestCertificate server = ca.IssueServer();
        string credentials = _folder["credentials"];
        Directory.CreateDirectory(credentials, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite);
        File.Copy(server.CertificateFile, Path.Combine(credentials, "node.pem"));
        File.Copy(server.KeyFile, Path.Combine(credentials, "node.key"));
        File.SetUnixFileMode(Path.Combine(credentials, "node.key"), UnixFileMode.UserRead | UnixFileMode.GroupRead); // as systemd's access lists show
        const string keys = """
            "security": { "tls": { "certificate": "${CREDENTIALS_DIRECTORY}/node.pem", "key": "${CREDENTIALS_DIRECTORY}/node.key" } }
            """;
        using (ServeProcess serve = await ServeProcess.StartAsync(_folder, keys, ("CREDENTIALS_DIRECTORY", credentials)))
        {
            await using NodeControlClient control = await serve.ConnectAsync();
            string manifest = App();
            string endpoint = (await control.CreateReadyAsync(new ManifestText(File.ReadAllBytes(manifest), manifest))).Endpoints[0];
            await CallAsync(endpoint.Replace("tcp://", "tls://", StringComparison.Ordinal), new ClientTls { CaFile = ca.CaFile });
            Assert.Contains("libssl.so.3", Maps(serve), StringComparison.Ordinal);
        }

        using ServeProcess without = ServeProcess.Start(_folder, keys);
        Assert.NotEqual(0, await without.ExitAsync());
        const string mistake = "$.security.tls.key: ${CREDENTIALS_DIRECTORY}/node.key: CREDENTIALS_DIRECTORY is not set: add LoadCredential=node.key:FILE";
        Assert.Contains(mistake, without.Log, StringComparison.Ordinal);
    }

    private string App() => _folder.Write("shop.json", $$"""
        { "name": "shop", "type": "python", "args": "{{Path.Combine(Repository.Root, "examples/echo/echo.py")}}",
          "tasks": { "shop": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "tls": "on", "events": "*" } } }
        """);

    private static async Task CallAsync(string endpoint, ClientTls tls)
    {
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint, new ClientOptions { Tls = tls });
        Assert.Equal("hello", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("hello"))));
    }

    private static string Maps(ServeProcess serve) => File.ReadAllText($"/proc/{serve.Process.Id}/maps");
}
