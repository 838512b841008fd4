using System.Diagnostics;
using System.Text.Json;
using Cocaine.Fast.Host.Commands.Top;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Node.Metrics;

namespace Cocaine.Fast.Host.Tests.Commands;

/// <summary>The live view of a node.</summary>
[Collection(nameof(Alone))]
public sealed class TopTests : IDisposable
{
    private static readonly NodeStats Node = new("host-1", "1.2.3", 273_000, 2, 8.2, 9, 58 << 20, 2, 0);
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(80, true, true)]
    [InlineData(70, false, true)]
    [InlineData(40, false, false)]
    public void Each_line_fits_the_terminal_and_columns_go_when_it_is_narrow(int width, bool hasMemory, bool hasTimes)
    {
        TopView view = new();
        view.Add(Answer(1, 1000, null));
        view.Add(Answer(2, 3000, 10));
        view.Chosen = "app-with-20-letters-10";
        TopPicture picture = view.Picture(DateTimeOffset.Now, TimeSpan.FromSeconds(1)) with
        {
            Panel = ["a line of a worker \e]0;title\a and more text than any terminal of this width can ever show to anybody at all", "中文"],
        };
        IReadOnlyList<string> lines = TopScreen.Lines(picture, width, 24);
        Assert.Equal(24, lines.Count);
        Assert.All(lines, line => Assert.InRange(Letters.Width(line.Replace(TopPicture.Mark, "")), 0, width));
        Assert.All(lines, line => Assert.DoesNotContain(line.Replace(TopPicture.Mark, ""), char.IsControl));
        Assert.Equal(hasMemory, lines[4].Contains("RSS"));
        Assert.Equal(hasTimes, lines[4].Contains("P99"));
        Assert.Contains(lines, line => line.StartsWith("evil\\u001b[31m", StringComparison.Ordinal) && line.Contains("BROKEN"));
        Assert.Contains(lines, line => line.StartsWith("  \\u001b[2Jno module", StringComparison.Ordinal));
        Assert.Single(lines, line => line.StartsWith($"{TopPicture.Mark}app-with-20-letters-10", StringComparison.Ordinal));
        Assert.Contains("300/s", lines[1].Replace(",", ""));
    }

    [Fact]
    public void Orders_filter_and_choice_are_those_that_the_user_wants()
    {
        TopView view = new() { Sort = "name" };
        view.Add(Answer(1, 1000, null));
        view.Add(Answer(2, 3000, 10));
        Assert.Equal("app-with-20-letters-0", Shown()[0].Name);
        view.Sort = "wait";
        Assert.Equal("app-with-20-letters-9", Shown()[0].Name);
        view.Filter = "LETTERS-1";
        Assert.Equal(11, Shown().Count); // 1, and 10 to 19
        view.Move(1);
        view.Move(1);
        Assert.Equal(Shown()[1].Name, view.Chosen);
        view.Move(-100);
        Assert.Equal(Shown()[0].Name, view.Chosen);
        view.Filter = "nothing";
        view.Move(1);
        Assert.Equal(1, view.Since);

        IReadOnlyList<TopRow> Shown() => view.Picture(DateTimeOffset.Now, TimeSpan.Zero).Shown;
    }

    [Fact]
    public async Task Counts_since_an_earlier_answer_are_those_of_the_time_between()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, $"\"apps\": [\"{Manifest()}\"]");
        Assert.Equal(0, (await serve.RunAsync("call", Socket, "echo", "--data", "x")).Code);
        (int code, string output, _) = await serve.RunAsync("top", "--json", "-n", "2", "-d", "1.1");
        JsonElement[] answers = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
        Assert.Equal((0, 2, 1), (code, answers.Length, answers[0].GetProperty("apps")[0].GetProperty("done").GetInt32()));
        Assert.Equal(answers[0].GetProperty("id").GetInt32(), answers[1].GetProperty("since").GetInt32());
        Assert.InRange(answers[1].GetProperty("over-s").GetDouble(), 1, 60);
        Assert.Equal(0, answers[1].GetProperty("apps")[0].GetProperty("done").GetInt32());
        (code, output, _) = await serve.RunAsync("top", "-n", "1");
        Assert.Equal((0, true), (code, output.Contains("hello running")));
    }

    [NeedsFact("tmux", "tmux")]
    public async Task In_a_terminal_keys_choose_show_and_change_and_the_terminal_is_left_as_it_was()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, $"\"apps\": [\"{Manifest()}\"]");
        string server = _folder["tmux.sock"];
        string program = $"COCAINE_NODE={serve.Endpoint} {ServeProcess.Program} top -d 0.3; echo left with $?; exec cat";
        _ = Tmux(server, "new-session", "-d", "-x", "80", "-y", "24", program);
        try
        {
            await UntilAsync("hello running");
            Send("Down", "Enter");
            await UntilAsync("pid ");
            Send("p");
            await UntilAsync("pause hello? y = yes");
            Send("n");
            await UntilAsync("nothing was changed");
            Send("p");
            await UntilAsync("pause hello? y = yes");
            Send("y");
            await UntilAsync("hello paused");
            Send("q");
            await UntilAsync("left with 0");
            Assert.DoesNotContain("hello", Shown()); // the screen of before
        }
        finally
        {
            _ = Tmux(server, "kill-server");
        }

        string Shown() => Tmux(server, "capture-pane", "-p");
        void Send(params string[] keys) => Tmux(server, ["send-keys", .. keys]);
        Task UntilAsync(string text) => RunProcess.UntilAsync(() => Shown().Contains(text), () => $"no '{text}' in:\n{Shown()}");
    }

    private static string Tmux(string server, params string[] words)
    {
        ProcessStartInfo start = new("tmux", ["-f", "/dev/null", "-S", server, .. words]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["TERM"] = "xterm";
        start.Environment["LC_ALL"] = "C.UTF-8";
        using Process process = Process.Start(start)!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return text;
    }

    private string Socket => $"ipc://{_folder["hello.sock"]}";

    private string Manifest()
    {
        _folder.Write("hello.py", "def echo(request):\n    yield request\n");
        return _folder.Write("hello.json", $$"""
            { "name": "hello", "type": "python", "args": { "source": "{{_folder["hello.py"]}}" }, "engine": { "queue-limit": 10 },
              "tasks": { "event": { "type": "native-server", "endpoint": "{{Socket}}", "events": "*" } } }
            """);
    }

    private static StatsAnswer Answer(int id, int done, double? over) => new(
        id, Node with { UptimeS = Node.UptimeS + id },
        [
            .. Enumerable.Range(0, 30).Select(i => new AppStats($"app-with-20-letters-{i}", "running")
            {
                Done = i == 3 ? done : 0, Queued = i == 9 ? 37 : 0, Slaves = 4, Busy = 2, RssBytes = 92 << 20, CpuS = 18.8, P50S = 0.0031, P99S = 0.084,
            }),
            new AppStats("evil\e[31m", "broken") { Reason = "first\n\e[2Jno module named x" },
        ], over is null ? null : id - 1, over);
}
