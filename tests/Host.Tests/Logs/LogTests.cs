using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Host.Tests.Logs;

/// <summary>The log on standard error: what its lines look like, whatever apps put into them and however fast.</summary>
[Collection(nameof(Alone))]
public sealed class LogTests : IDisposable
{
    private const string Code = """
        import os, sys

        def flood(request):
            for _ in range(4000):
                os.write(1, b"x" * 10000 + b"\n")

        def forge(request):
            sys.stderr.write("\x1b[2J\x07one\r2026-01-01 00:00:00.000Z fail: node[999] forged\x85next\u202ekcab\n")
            sys.stderr.flush()

        def fail(request):
            raise ValueError("first\nsecond \x1b[31m")
        """;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_line_of_a_json_log_is_an_object_also_the_one_that_says_how_many_are_missing()
    {
        _folder.Write("app.py", Code);
        string manifest = _folder.Write("app.json", """
            { "name": "app", "type": "python", "args": "app.py",
              "tasks": { "event": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } } }
            """);
        using Process node = Process.Start(new ProcessStartInfo(
            ServeProcess.Program, ["run", manifest, "--locator", "none", "--ledger-folder", _folder["ledger"], "--log-format", "json"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            string? ready;
            do
            {
                ready = await node.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
            }
            while (ready?.StartsWith("ready ", StringComparison.Ordinal) == false);

            await using CocaineClient client = await CocaineClient.ConnectAsync(ready![(ready!.IndexOf("endpoint=", StringComparison.Ordinal) + 9)..]);
            await client.CallAsync("flood", Utf8.Of("")).WaitAsync(TimeSpan.FromSeconds(60)); // 40 MB, which nobody reads yet
            await client.CallAsync("forge", Utf8.Of("")).WaitAsync(TimeSpan.FromSeconds(60));
            using Process term = Process.Start("/bin/kill", ["-TERM", $"{node.Id}"]);
            string[] lines = (await node.StandardError.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60))).Split('\n');
            Assert.Equal("", lines[^1]);
            JsonElement[] entries = [.. lines[..^1].Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
            Assert.All(entries, entry => Assert.Matches("^2[0-9-]{9}T[0-9:.]{12}Z$", entry.GetProperty("Timestamp").GetString()));
            JsonElement missing = entries.First(entry => entry.GetProperty("EventId").GetInt32() == 690);
            Assert.True(missing.GetProperty("State").GetProperty("Count").GetInt64() > 0);
            Assert.Contains("let the app print less", missing.GetProperty("Message").GetString());
            Assert.Contains(entries, entry => entry.GetProperty("Message").GetString()!.StartsWith("stopped", StringComparison.Ordinal));
            Assert.DoesNotContain(string.Concat(lines), letter => char.IsControl(letter) || letter > '~');
        }
        finally
        {
            node.Kill();
        }
    }

    [Fact]
    public async Task Text_of_an_app_is_no_line_of_the_nodes_and_drives_no_terminal()
    {
        using RunProcess node = RunProcess.Start(_folder, Code);
        await using CocaineClient client = await node.ConnectAsync();
        await client.CallAsync("forge", Utf8.Of(""));
        await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("fail", Utf8.Of("")));
        node.Signal("TERM");
        Assert.Equal(0, await node.ExitAsync());
        string[] lines = node.Log.TrimEnd('\n').Split('\n');
        Assert.All(lines, line => Assert.Matches("^2[0-9]{3}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z (info|warn|fail): [a-z-]+\\[[0-9]+\\] ", line));
        Assert.DoesNotContain(node.Log, letter => (char.IsControl(letter) && letter != '\n') || letter == '\u202e');
        Assert.Contains("\\u001b[2J\\u0007one\\u000d2026-01-01 00:00:00.000Z fail: node[999] forged\\u0085next\\u202ekcab", node.Log);
        Assert.EndsWith("stopped", lines[^1]);
    }

    /// <summary>systemd gives a service a socket of the journal as standard error, and its inode by JOURNAL_STREAM.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task For_the_journal_lines_have_priorities_and_for_others_they_have_none(bool isJournal)
    {
        const string Journal = """
            import os, socket, subprocess, sys
            ours, theirs = socket.socketpair()
            status = os.fstat(theirs.fileno())
            inode = status.st_ino if sys.argv[1] == "True" else status.st_ino + 1
            node = subprocess.Popen(sys.argv[2:], stderr=theirs, env=dict(os.environ, JOURNAL_STREAM="%d:%d" % (status.st_dev, inode)))
            theirs.close()
            for line in ours.makefile("rb"):
                sys.stdout.buffer.write(line)
            """;
        string script = _folder.Write("journal.py", Journal);
        string manifest = _folder.Write("app.json", """
            { "name": "app", "type": "python", "args": { "source": "app.py", "env-from": ["COCAINE_NO_SUCH_THING"] },
              "tasks": { "event": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } } }
            """);
        _folder.Write("app.py", Code);
        using Process process = Process.Start(new ProcessStartInfo("/usr/bin/python3",
            [script, $"{isJournal}", ServeProcess.Program, "run", manifest, "--locator", "none", "--ledger-folder", _folder["ledger"]])
        {
            RedirectStandardOutput = true,
        })!;
        string log = await process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
        const string Failure = "fail: cocaine-fast[600] cannot start: app app: args.env-from: the node's environment has no COCAINE_NO_SUCH_THING";
        Assert.Matches((isJournal ? "^<3>" : "^2[0-9-]{9} [0-9:.]{12}Z ") + Regex.Escape(Failure), log.Split('\n').First(line => line.Contains("[600]")));
    }
}
