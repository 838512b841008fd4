using System.Diagnostics;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Host.Tests.Views;

/// <summary>
/// Each command that shows what an app or a peer says, in a terminal of 80 columns, with an app that tries to drive it.
/// </summary>
[Collection(nameof(Alone))]
public sealed class HostileTextTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [NeedsFact("script", "bsdutils")]
    public async Task No_text_of_an_app_drives_the_terminal_and_no_line_of_a_view_is_longer_than_it_is_wide()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        const string App = "a-name-of-20-letters", Dies = "another-name-of-20-l";
        string endpoint = $"ipc://{_folder["app.sock"]}", ledgers = _folder["ledger"];
        string manifest = _folder.Write($"{App}.json", $$"""
            { "type": "python", "args": "local://{{Repository.Root}}/tests/apps/hostile.py", "engine": { "retry-limit": 0 },
              "tasks": { "event": { "type": "native-server", "endpoint": "{{endpoint}}", "events": "*" } } }
            """);
        _folder.Write("dies.py", "raise ValueError('\\x1b]0;title\\x07\\x1b[2J\\r\\u009b31m\\u202eevil')\n");
        string dies = _folder.Write($"{Dies}.json", """{ "type": "python", "args": "dies.py", "tasks": { "x": { "type": "manual-scheduler" } } }""");
        Assert.Equal(0, (await serve.RunAsync("app", "create", manifest)).Code);
        await ShowAsync(["app", "create", dies], "\\u001b[2J");

        await ShowAsync(["call", endpoint, "answer"], "\\u001b]0;title\\u0007\\u001b[2J\\u000d\\u009b31m\\u202eevil\n");
        Assert.Contains('\u001b', (await serve.RunAsync("call", endpoint, "answer")).Output); // as it is, into a pipe
        await ShowAsync(["call", endpoint, "fail"], "error 502: ");
        await ShowAsync(["call", endpoint, "write"], "written");
        await ShowAsync(["call", endpoint, "die"], "error 502: ");
        await ShowAsync(["call", endpoint, "no\u001b[2Jsuch"], "error 404: ");

        await ShowAsync(["app", "list"], "\\u202eevil");
        await ShowAsync(["app", "info", App], "3 jobs failed");
        await ShowAsync(["app", "info", Dies], "its slaves do not start");
        await ShowAsync(["app", "info", Dies, "--all"], "\\u202eevil", mayBeLong: true);
        await ShowAsync(["info", endpoint], App);
        await ShowAsync(["app", "logs", App], "\\u202eevil", mayBeLong: true);
        await ShowAsync(["events"], "\\u202eevil");
        await ShowAsync(["events", Dies], "\\u202eevil");
        await ShowAsync(["why", "--last-failed", "9", "--folder", ledgers], "\\u202eevil");
        await ShowAsync(["why", "--slow", "9", "--folder", ledgers], "done");
        await ShowAsync(["why", "3", "--app", App, "--folder", ledgers], "\\u202eevil", mayBeLong: true); // one word, which is left whole
        await ShowAsync(["quarantine", "list"], App);
        string id = (await serve.RunAsync("quarantine", "list")).Output.Split('\n')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        await ShowAsync(["quarantine", "show", App, id], "die");
        await ShowAsync(["quarantine", "drop", App, "\u001b[2J"], "\\u001b[2J");

        string broken = _folder.Write("\u001b[2J.json", """{ "\u001b[2J": 1, "type": "\u202eevil" }""");
        await ShowAsync(["check", broken], "\\u001b[2J.json:1:", mayBeLong: true);
        await ShowAsync(["\u001b[2J"], "\\u001b[2J");

        async Task ShowAsync(string[] words, string contains, bool mayBeLong = false)
        {
            (_, string shown) = await TerminalProgram.RunAsync(serve.Endpoint, words);
            string said = $"{string.Join(' ', words)}:\n{shown}";
            Assert.True(shown.Contains(contains, StringComparison.Ordinal), said);
            Assert.DoesNotContain(shown, letter => letter is '\u202e' || (char.IsControl(letter) && letter != '\n'));
            bool isError = shown.StartsWith("error ", StringComparison.Ordinal) || words.Contains("create");
            Assert.True(mayBeLong || isError || shown.Split('\n').All(line => Letters.Width(line) <= 80), said);
        }
    }

    [NeedsFact("script", "bsdutils")]
    public async Task What_an_app_publishes_does_not_drive_the_terminal()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ManifestReader.Read(
            Utf8.Of($$"""
            { "name": "hostile", "type": "python", "args": "local://{{Repository.Root}}/tests/apps/hostile.py", "pubsub": { "endpoint": "tcp://lo:0" },
              "tasks": { "fail": { "type": "recurring-timer", "interval": 200 } } }
            """), _folder["hostile.json"]).Manifest!);
        ProcessStartInfo start = new("/usr/bin/script", ["-qec", $"stty cols 80 -onlcr; exec {TerminalProgram.Path} watch {app.PubsubEndpoints[0]}", "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["TERM"] = "dumb";
        using Process watch = Process.Start(start)!;
        try
        {
            CancellationToken limit = new CancellationTokenSource(TimeSpan.FromMinutes(2)).Token;
            string line;
            do
            {
                line = await watch.StandardOutput.ReadLineAsync(limit) ?? throw new EndOfStreamException();
            }
            while (!line.Contains("evil"));
            Assert.DoesNotContain(line, letter => letter == '\u202e' || char.IsControl(letter));
        }
        finally
        {
            watch.Kill(entireProcessTree: true);
        }
    }
}
