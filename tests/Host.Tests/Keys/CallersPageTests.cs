using System.Diagnostics;
using System.Text.RegularExpressions;
using Cocaine.Fast.Client;
using Cocaine.Fast.Host.Tests.Survival;

namespace Cocaine.Fast.Host.Tests.Keys;

/// <summary>"Callers" of docs/security.md, word by word, with a node, callers and a tunnel that run.</summary>
[Collection(nameof(Alone))]
public sealed partial class CallersPageTests : IDisposable
{
    private const string Place = "node.example.org:9100";

    /// <summary>A client of a program without TLS and without any library: one call of an event, and its answer.</summary>
    private const string PlainPython = """
        import socket, sys
        peer = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 30)
        peer.sendall(b"\x93\x01\x00\x91\xa4echo" + b"\x93\x01\x00\x91\xa6plain!" + b"\x93\x01\x02\x90")
        got = b""
        while not got.endswith((b"\x93\x01\x02\x90", b"\x94\x01\x02\x90\x90")):
            part = peer.recv(4096)
            assert part, got
            got += part
        assert b"\xa6plain!" in got, got
        print("plain answer")
        """;

    private readonly TestFolder _folder = new();
    private readonly IReadOnlyList<string> _blocks = CodeBlocks.Of("docs/security.md", "Callers");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Its_commands_make_a_node_that_knows_its_callers()
    {
        foreach (string line in Block("cocaine-fast keys ca").Split('\n'))
        {
            Assert.Equal(0, (await RunAsync(line)).Code);
        }

        string config = Block("\"identities\"").Replace("/etc/cocaine-fast", _folder.Path).Trim();
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, config[1..^1]);
        string app = Block("\"tasks\"").Replace("tcp://*:9100", "tcp://127.0.0.1:0");
        _folder.Write("shop.py", "def echo(request):\n    yield request\n\ndef drop(request):\n    yield request\n");
        (int code, _, string error) = await serve.RunAsync("app", "create", _folder.Write("shop.json", app));
        Assert.True(code == 0, $"{error}\n{serve.Log}");
        int port = int.Parse(Port().Match((await serve.RunAsync("app", "info", "shop", "--json")).Output).Groups[1].Value);

        string[] call = Block("cocaine-fast call").Split('\n');
        Assert.Equal((0, call[1], ""), await RunAsync(call[0], port));
        (code, _, error) = await RunAsync(call[0].Replace("echo --data hello", "drop"), port);
        Assert.Equal((1, "error 403: billing may not call 'drop' of shop\n"), (code, error));
        (code, _, error) = await RunAsync(call[0].Split(" --cert")[0], port);
        Assert.Equal(3, code);
        Assert.Contains("the server lets in only clients with a certificate", error);

        string words = Block("cocaine-fast tunnel").Replace("tcp://lo:9101", "tcp://127.0.0.1:0")["cocaine-fast ".Length..];
        using HostProcess tunnel = HostProcess.Start(_folder, At(words, port), before: $"cd '{_folder.Path}';");
        string near = (await tunnel.UntilAsync("ready listen=")).Split("listen=")[1].Split(' ')[0];
        await using (CocaineClient client = await CocaineClient.ConnectAsync(near))
        {
            Assert.Equal(Utf8.Of("hello"), await client.CallAsync("echo", Utf8.Of("hello")).WaitAsync(TimeSpan.FromSeconds(30)));
        }

        using Process python = Process.Start(new ProcessStartInfo("python3", ["-c", PlainPython, near.Split(':')[^1]])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Assert.Equal("plain answer\n", await python.StandardOutput.ReadToEndAsync() + await python.StandardError.ReadToEndAsync());
        await AssertLibraryAsync(port);
    }

    /// <summary>The lines of C# on the page, with the values that they show.</summary>
    private async Task AssertLibraryAsync(int port)
    {
        MatchCollection settings = Setting().Matches(Block("ClientTls"));
        Assert.Equal(["CaFile", "CertificateFile", "KeyFile"], settings.Select(one => one.Groups[1].Value));
        string[] files = [.. settings.Select(one => _folder[one.Groups[2].Value])];
        ClientOptions options = new()
        {
            Tls = new ClientTls { CaFile = files[0], CertificateFile = files[1], KeyFile = files[2], ServerName = Place.Split(':')[0] },
        };
        await using CocaineClient client = await CocaineClient.ConnectAsync($"tls://127.0.0.1:{port}", options);
        Assert.Equal(Utf8.Of("hello"), await client.CallAsync("echo", Utf8.Of("hello")).WaitAsync(TimeSpan.FromSeconds(30)));
    }

    private string Block(string text) => _blocks.Single(block => block.Contains(text));

    private Task<(int Code, string Output, string Errors)> RunAsync(string line, int port = 0) => HostProcess.RunAsync(
        _folder, At(line["cocaine-fast ".Length..], port), before: $"cd '{_folder.Path}';");

    /// <summary>The words with the place of this test's node.</summary>
    private static string At(string words, int port) => words.Replace($"tls://{Place}", $"tls://127.0.0.1:{port} --server-name {Place.Split(':')[0]}");

    [GeneratedRegex(@"127\.0\.0\.1:(\d+)")]
    private static partial Regex Port();

    [GeneratedRegex("(\\w+File) = \"([^\"]+)\"")]
    private static partial Regex Setting();
}
