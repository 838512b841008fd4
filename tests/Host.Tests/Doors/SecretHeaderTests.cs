using System.Text;
using System.Text.Json;

namespace Cocaine.Fast.Host.Tests.Doors;

/// <summary>
/// The headers that prove who calls, marked, with everything that a node writes and shows: the mark is nowhere, and it reaches a worker only
/// when its task says so.
/// </summary>
public sealed class SecretHeaderTests : IDisposable
{
    private const string Code = """
        import os, signal
        import cocaine

        def shown(request):
            yield repr(sorted(cocaine.current().headers))

        def failed(request):
            print("a line of the log", flush=True)
            raise ValueError("no")

        def killed(request):
            os.kill(os.getpid(), signal.SIGKILL)
        """;

    private const string Mark = "mark-of-a-secret-7f3a91", Other = "mark-of-a-note-7f3a91";

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Each way in which a header can come: by the static table's index, by its name in any case, and into the table for later calls.</summary>
    public static TheoryData<string, byte[]> Ways => new()
    {
        { "index", [0x93, 0xc2, 23] },
        { "name", [0x93, 0xc2, .. Text("authorization")] },
        { "capitals", [0x93, 0xc2, .. Text("Authorization")] },
        { "kept", [0x93, 0xc3, .. Text("authorization")] },
        { "seal", [0x93, 0xc2, .. Text("seal")] },
        { "config", [0x93, 0xc2, .. Text("X-Cookie")] },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_secret_is_in_no_log_file_record_or_view_and_comes_to_no_worker_unasked(string way, byte[] begin)
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, """
             "log": { "level": "trace" },
             "security": { "rights": [ { "who": "@local", "call": { "*": "*" } } ], "secret-headers": ["x-cookie"] }
            """);
        foreach (bool passes in (bool[])[false, true])
        {
            string app = passes ? "passing" : "usual", endpoint = await CreateAsync(serve, app, passes);
            using NativePeer peer = NativePeer.Connect(endpoint);
            peer.Send(Call(1, "shown", begin));
            string headers = peer.Read();
            if (way == "seal" && !passes) // the app would take the cipher text for a request
            {
                Assert.StartsWith("1 error 400", headers);
                continue;
            }

            Assert.StartsWith("1 chunk ", headers);
            Assert.Contains(Other, headers);
            Assert.True(headers.Contains(Mark) == (passes || way == "config"), headers); // a header of the config's list goes to the worker
            Assert.Equal("1 close", peer.Read());
            peer.Send(Call(2, "failed", begin));
            Assert.StartsWith("2 error 502", peer.Read());
            peer.Send(Call(3, "killed", begin));
            Assert.StartsWith("3 error 502", peer.Read());
            if (way == "kept") // the entries of the first call, from the newest of six
            {
                peer.Send(Call(4, "shown", [], 0x92, 87, 88));
                headers = peer.Read();
                Assert.True(headers.Contains(Other) && headers.Contains(Mark) == passes, headers);
                Assert.Equal("4 close", peer.Read());
            }

            await serve.UntilLogAsync($"{app}: job ");
            string id = (await serve.RunAsync("quarantine", "list")).Output.Split('\n').Single(line => line.StartsWith($"{app} ", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
            (_, string shown, _) = await serve.RunAsync("quarantine", "show", app, id, "--json");
            using JsonDocument job = JsonDocument.Parse(shown);
            string kept = Encoding.Latin1.GetString(job.RootElement.GetProperty("headers").GetBytesFromBase64());
            Assert.Contains(Other, kept); // the others are there, for a replay
            Assert.DoesNotContain(Mark, kept);
            await ViewsAsync(serve, app, id);
        }

        serve.Signal("TERM"); // what it writes at its end belongs to it
        Assert.Equal(0, await serve.ExitAsync());
        Assert.DoesNotContain(Mark, serve.Log);
        string[] files = Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories);
        Assert.Contains(files, file => file.EndsWith(".job", StringComparison.Ordinal));
        Assert.Contains(files, file => file.StartsWith(_folder["ledger"], StringComparison.Ordinal));
        foreach (string file in files)
        {
            string bytes = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file));
            Assert.False(Forms.Any(bytes.Contains), $"the secret is in {file}");
        }
    }

    /// <summary>The mark itself, and as it looks within any base64 text.</summary>
    private static IEnumerable<string> Forms => Enumerable.Range(0, 3).Select(shift =>
        Convert.ToBase64String(Encoding.ASCII.GetBytes(Mark)[shift..])[..16]).Prepend(Mark);

    private static async Task ViewsAsync(ServeProcess serve, string app, string id)
    {
        string ledger = Path.Combine(Path.GetDirectoryName(serve.Endpoint["ipc://".Length..])!, "ledger");
        string[][] views =
        [
            ["app", "list"], ["app", "info", app], ["app", "info", app, "--all"], ["app", "logs", app], ["events"],
            ["why", "--last-failed", "9", "--folder", ledger], ["why", "3", "--app", app, "--folder", ledger], ["quarantine", "show", app, id],
        ];
        foreach (string[] words in views)
        {
            (int code, string output, string errors) = await serve.RunAsync(words);
            Assert.True(code == 0 && output.Length > 0, $"{string.Join(' ', words)}: {code} {errors}");
            Assert.False(Forms.Any((output + errors).Contains), $"{string.Join(' ', words)}:\n{output}\n{errors}");
        }
    }

    private async Task<string> CreateAsync(ServeProcess serve, string app, bool passes)
    {
        _folder.Write("app.py", Code);
        string place = $"ipc://{_folder[$"{app}.sock"]}";
        string manifest = _folder.Write($"{app}.json", $$"""
            { "name": "{{app}}", "type": "python", "args": "local://{{_folder["app.py"]}}", "engine": { "pool-limit": 1 },
              "tasks": { "event": { "type": "native-server", "endpoint": "{{place}}", "events": "*"{{(passes ? ", \"pass-authorization\": true" : "")}} } } }
            """);
        (int code, _, string errors) = await serve.RunAsync("app", "create", manifest);
        Assert.True(code == 0, errors);
        return place;
    }

    /// <summary>A whole call with the secret and a note as headers, or with the given array.</summary>
    private static byte[] Call(byte channel, string name, byte[] begin, params byte[] headers) =>
    [
        0x94, channel, 0, 0x91, .. Text(name), .. headers.Length > 0 ? headers : Headers(begin),
        0x93, channel, 2, 0x90,
    ];

    /// <summary>The note comes into the table when the secret does.</summary>
    private static byte[] Headers(byte[] begin) => [0x92, .. begin, .. Text(Mark), 0x93, begin[1], .. Text("x-note"), .. Text(Other)];

    private static byte[] Text(string text) => [0xd9, (byte)text.Length, .. Encoding.ASCII.GetBytes(text)];
}
