using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Host.Tests.Survival;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Tests.Serving;

/// <summary>The program and the library of TLS, and files of TLS that systemd loads for it.</summary>
[Collection(nameof(Alone))]
public sealed class NodeFilesOfTlsTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_node_without_security_runs_and_replaces_apps_and_loads_no_library_of_keys()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, """ "locator": "tcp://127.0.0.1:0" """);
        await using NodeControlClient control = await serve.ConnectAsync();
        string inProcesses = App("echo", "python", "examples/echo/echo.py", "process");
        string inThreads = App("dotnet", "dotnet", "examples/dotnet-echo/bin/Release/net10.0/DotNetEcho.dll", "thread");
        foreach (string manifest in (string[])[inProcesses, inThreads])
        {
            string endpoint = (await control.CreateReadyAsync(new ManifestText(File.ReadAllBytes(manifest), manifest))).Endpoints[0];
            await CallAsync(endpoint, null);
            File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("\"version\": 1", "\"version\": 2", StringComparison.Ordinal));
            Assert.Equal((0, ""), await serve.RunAsync("app", "replace", manifest) is var (code, _, error) ? (code, error) : default);
            await CallAsync(endpoint, null);
            Assert.Equal(0, (await serve.RunAsync("info", endpoint)).Code);
        }

        Assert.Equal(2, (await control.ListAsync()).Count);
        Assert.DoesNotMatch("libssl|libcrypto|Cryptography.Native", Maps(serve));
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

    [Fact]
    public async Task Without_a_libssl_that_can_be_loaded_a_node_with_TLS_says_what_is_missing_and_one_without_it_starts()
    {
        const string Mistake = "libssl.so.3 is not on this machine: apt-get install libssl3";
        TestCertificates ca = new(_folder);
        TestCertificate server = ca.IssueServer();
        string keys = $$""" "security": { "tls": { "certificate": "{{server.CertificateFile}}", "key": "{{server.KeyFile}}" } } """;
        string libraries = Directory.CreateDirectory(_folder["libraries"]).FullName;
        File.WriteAllText(Path.Combine(libraries, "libssl.so.3"), "no library"); // the loader finds this one first
        string config = _folder.Write("tls.json", $"{{ {keys} }}");
        (int code, string output, string errors) = await HostProcess.RunAsync(_folder, $"check {config}", $"export LD_LIBRARY_PATH='{libraries}';");
        Assert.True(code == 0 && errors.Contains($"warning: here no door can have TLS: $.security.tls: {Mistake}", StringComparison.Ordinal), output + errors);
        using (ServeProcess refused = ServeProcess.Start(_folder, keys, ("LD_LIBRARY_PATH", libraries)))
        {
            Assert.NotEqual(0, await refused.ExitAsync());
            Assert.Contains(Mistake, refused.Log, StringComparison.Ordinal);
        }

        using ServeProcess plain = await ServeProcess.StartAsync(_folder, "", ("LD_LIBRARY_PATH", libraries));
        Assert.Equal(0, (await plain.RunAsync("app", "list")).Code);
    }

    private string App(string name, string type, string code, string backend) => _folder.Write($"{name}.json", $$"""
        { "name": "{{name}}", "type": "{{type}}", "version": 1, "args": "{{Path.Combine(Repository.Root, code)}}", "engine": { "backend": "{{backend}}" },
          "tasks": { "call": { "type": "native-server", "endpoint": "ipc://{{_folder[name + ".sock"]}}", "events": "*" } } }
        """);

    private string App() => _folder.Write("shop.json", $$"""
        { "name": "shop", "type": "python", "args": "{{Path.Combine(Repository.Root, "examples/echo/echo.py")}}",
          "tasks": { "shop": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "tls": "on", "events": "*" } } }
        """);

    private static async Task CallAsync(string endpoint, ClientTls? tls)
    {
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint, new ClientOptions { Tls = tls });
        Assert.Equal("hello", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("hello"))));
    }

    private static string Maps(ServeProcess serve) => File.ReadAllText($"/proc/{serve.Process.Id}/maps");
}
