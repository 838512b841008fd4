using System.Security.Cryptography;
using System.Text;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Host.Tests.Doors;

/// <summary>
/// A node with a mark in every secret that it gets, through calls that go well, fail, kill their workers, are replayed and refused, through
/// a reload and a mistake: no mark is in anything that the node writes or shows.
/// </summary>
public sealed class SecretsTests : IDisposable
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const string Code = """
        import os, signal
        import cocaine

        def shown(request):
            yield os.environ["DB_PASSWORD"][:4]

        def failed(request):
            print("a line of the log", flush=True)
            raise ValueError("no")

        def killed(request):
            if not os.path.exists(os.environ["MENDED"]):
                os.kill(os.getpid(), signal.SIGKILL)
            yield "mended"
        """;

    // Each mark is of a kind, so that a failure tells which secret has leaked.
    private const string Token = "mark-token-41c9", Guess = "mark-guess-41c9", Cookie = "mark-cookie-41c9", Password = "mark-password-41c9",
        Literal = "mark-literal-41c9", Body = "mark-body-41c9";

    private readonly TestFolder _folder = new();  // everything that the node writes
    private readonly TestFolder _secrets = new(); // everything that it reads
    private readonly SealKeys _keys = new("billing");

    public void Dispose()
    {
        _folder.Dispose();
        _secrets.Dispose();
        _keys.Dispose();
    }

    [Fact]
    public async Task No_secret_is_in_anything_that_a_node_writes_or_shows()
    {
        TestCertificates ca = new(_secrets);
        TestCertificate server = ca.IssueServer();
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(Token)));
        File.Copy(_keys.NodeKey, Path.Combine(_keys.Folder, "node.pub")); // the node can open what is sealed to it
        _folder.Write("node.json", "");
        File.SetUnixFileMode(_folder["node.json"], Owner); // it has a list of tokens
        using ServeProcess serve = ServeProcess.Start(_folder, $$"""
            "runtime": "{{_folder["runtime"]}}", "log": { "level": "trace", "format": "json", "audit": "{{_folder["audit.log"]}}" },
            "security": {
              "keys": "{{_keys.Folder}}", "quarantine-to": "node", "secret-headers": "x-cookie",
              "tls": { "certificate": "{{server.CertificateFile}}", "key": "{{server.KeyFile}}" },
              "identities": { "billing": { "rsa": "billing" }, "batch": { "token": "sha256:{{hash}}" } },
              "rights": [ { "who": ["billing", "batch"], "call": { "vault": ["shown", "failed", "killed"] } } ] }
            """);
        await serve.UntilLogAsync("serving: ");
        await CreateAsync(serve);
        await CallAsync(serve);
        string[] ids = await QuarantinedAsync(serve);
        List<string> shown = await ViewsAsync(serve, ids);
        _secrets.Write("mended", "");
        (int code, string output, string error) = await serve.RunAsync("quarantine", "replay", "vault", ids[0]);
        Assert.True(code == 0, error);
        shown.Add(output + error);
        await MistakeAsync(serve, hash);
        serve.Signal("TERM");
        Assert.Equal(0, await serve.ExitAsync());
        shown.Add(serve.Log);

        string[] marks = [Token, Guess, Cookie, Password, Literal, hash, .. Lines(server.KeyFile), .. Lines(Path.Combine(_keys.Folder, "own/node.pem"))];
        shown.ForEach(text => Assert.DoesNotContain(marks, mark => IsIn(text, mark)));
        string[] files = [.. Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".json", StringComparison.Ordinal)
            || file.Contains("/state/", StringComparison.Ordinal))];
        Assert.All((string[])["/state/", "/ledger/", "/audit.log", ".job"], part => Assert.Contains(files, file => file.Contains(part, StringComparison.Ordinal)));
        foreach (string file in files)
        {
            string text = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file));
            Assert.DoesNotContain(marks.Append(Body), mark => IsIn(text, mark)); // the bodies of quarantined jobs are sealed
        }

        Assert.Contains("reason=unknown-token", await File.ReadAllTextAsync(_folder["audit.log"])); // the refusals have happened
    }

    private async Task CreateAsync(ServeProcess serve)
    {
        _secrets.Write("app.py", Code);
        File.SetUnixFileMode(_secrets.Write("password", Password + "\n"), Owner);
        string manifest = _secrets.Write("vault.json", $$"""
            { "name": "vault", "type": "python", "engine": { "pool-limit": 1, "retry-limit": 0 },
              "args": { "source": "local://{{_secrets["app.py"]}}", "env": { "MENDED": "{{_secrets["mended"]}}" }, "env-files": { "DB_PASSWORD": "{{_secrets["password"]}}" } },
              "tasks": { "event": { "type": "native-server", "endpoint": "ipc://{{_folder["vault.sock"]}}", "events": "*" },
                         "sealed": { "type": "native-server", "endpoint": "ipc://{{_folder["sealed.sock"]}}", "events": "*", "sealed": "required" } } }
            """);
        (int code, _, string error) = await serve.RunAsync("app", "create", manifest);
        Assert.True(code == 0, error);
    }

    /// <summary>Calls with tokens that are right and wrong, with a secret header, and sealed ones.</summary>
    private async Task CallAsync(ServeProcess serve)
    {
        using NativePeer peer = NativePeer.Connect($"ipc://{_folder["vault.sock"]}");
        peer.Send(Call(1, "shown", Token));
        Assert.Equal("1 chunk mark", peer.Read()); // the worker has the secret
        Assert.Equal("1 close", peer.Read());
        peer.Send(Call(2, "failed", Token));
        Assert.StartsWith("2 error 502", peer.Read());
        peer.Send(Call(3, "killed", Token));
        Assert.StartsWith("3 error 502", peer.Read());
        peer.Send(Call(4, "shown", Guess));
        Assert.StartsWith("4 error 401", peer.Read());
        peer.Send(Call(5, "secret-event", Token));
        Assert.StartsWith("5 error 403", peer.Read());
        await using CocaineClient client = await CocaineClient.ConnectAsync($"ipc://{_folder["sealed.sock"]}", _keys.Options("billing", "vault"));
        Assert.Equal("mark", Encoding.UTF8.GetString(await client.CallAsync("shown", Encoding.UTF8.GetBytes(Body))));
        Assert.Equal(502, (await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("killed", Encoding.UTF8.GetBytes(Body)))).Code);
        Assert.Equal(403, (await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("other", Encoding.UTF8.GetBytes(Body)))).Code);
        Assert.Contains("reason=", serve.Log);
    }

    private static async Task<string[]> QuarantinedAsync(ServeProcess serve)
    {
        string[] ids = [];
        for (int tries = 0; ids.Length < 2 && tries < 1000; tries++) // the file comes after the answer
        {
            (_, string list, _) = await serve.RunAsync("quarantine", "list");
            ids = [.. list.Split('\n').Where(line => line.StartsWith("vault ", StringComparison.Ordinal))
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1])];
        }

        return ids;
    }

    private async Task<List<string>> ViewsAsync(ServeProcess serve, string[] ids)
    {
        List<string> shown = [];
        string ledger = _folder["ledger"];
        string[][] views =
        [
            ["app", "list"], ["app", "list", "--json"], ["app", "info", "vault"], ["app", "info", "vault", "--json"], ["app", "info", "--json"],
            ["app", "logs", "vault"], ["events"], ["events", "--json"], ["health"], ["quarantine", "list", "--json"],
            ["why", "--last-failed", "9", "--folder", ledger], ["why", "3", "--app", "vault", "--folder", ledger],
            .. ids.Select(id => (string[])["quarantine", "show", "vault", id, "--json"]),
        ];
        foreach (string[] words in views)
        {
            (int code, string output, string errors) = await serve.RunAsync(words);
            Assert.True(code == 0 && output.Length > 0, $"{string.Join(' ', words)}: {code} {errors}");
            shown.Add(output + errors);
        }

        foreach (string process in Directory.GetDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _)))
        {
            shown.Add(ReadOrNothing($"{process}/cmdline")); // everybody on the host sees the command lines
        }

        return shown;
    }

    /// <summary>A reload of a config that has a token itself in place of its hash, and of one with other rules.</summary>
    private async Task MistakeAsync(ServeProcess serve, string hash)
    {
        string good = File.ReadAllText(_folder["node.json"]);
        File.WriteAllText(_folder["node.json"], good.Replace($"sha256:{hash}", Literal, StringComparison.Ordinal));
        serve.Signal("HUP");
        await serve.UntilLogAsync("nothing was changed");
        File.WriteAllText(_folder["node.json"], good.Replace("\"failed\", ", "", StringComparison.Ordinal));
        serve.Signal("HUP");
        await serve.UntilLogAsync("generation=2");
    }

    private static string ReadOrNothing(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return ""; // the process has ended
        }
    }

    private static IEnumerable<string> Lines(string keyFile) => File.ReadAllLines(keyFile).Where(line => line.Length > 40 && !line.StartsWith('-'));

    /// <summary>The text has the mark itself, or within base64, wherever it begins there.</summary>
    private static bool IsIn(string text, string mark) => text.Contains(mark, StringComparison.Ordinal) || (mark.Length < 40 && Enumerable.Range(0, 3)
        .Any(shift => text.Contains(Convert.ToBase64String(Encoding.ASCII.GetBytes(mark)[shift..])[..12], StringComparison.Ordinal)));

    /// <summary>A whole call with a token and a cookie.</summary>
    private static byte[] Call(byte channel, string name, string token) =>
    [
        0x94, channel, 0, 0x91, .. Text(name), 0x92, 0x93, 0xc2, .. Text("authorization"), .. Text($"Bearer {token}"), 0x93, 0xc2, .. Text("x-cookie"), .. Text(Cookie),
        0x93, channel, 2, 0x90,
    ];

    private static byte[] Text(string text) => [0xd9, (byte)text.Length, .. Encoding.ASCII.GetBytes(text)];
}
