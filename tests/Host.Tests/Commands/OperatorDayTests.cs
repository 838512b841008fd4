using System.Text.Json;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Tests.Commands;

/// <summary>What an operator does with a daemon in a day, by its commands.</summary>
[Collection(nameof(Alone))]
public sealed class OperatorDayTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private string Socket => $"ipc://{_folder["hello.sock"]}";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task New_code_of_an_app_that_the_config_names_is_restarted_in_under_load()
    {
        string manifest = Manifest(_folder);
        Code("monday");
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, $"\"apps\": [\"{manifest}\"]");
        Assert.Equal("monday", await AnswerAsync(serve));
        CheckedLoad load = new(Socket, connections: 3, callsAtOnce: 2);
        await load.ForAsync(200);

        Code("tuesday");
        Assert.Equal((0, "restarted app=hello version=0\n", ""), await serve.RunAsync("app", "restart", "hello"));
        Assert.Equal("tuesday", await AnswerAsync(serve));
        await load.ForAsync(200);

        _folder.Write("hello.py", "import nothing_of_this_name\n");
        (int code, string output, string error) = await serve.RunAsync("app", "restart", "hello");
        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith("app hello was not restarted, and runs unchanged: ", error);
        Assert.Contains("nothing_of_this_name", error);
        Assert.Equal("tuesday", await AnswerAsync(serve));
        Assert.Equal((0, "healthy apps=1\n", ""), await serve.RunAsync("health"));
        (int code, string output, string error) metrics = await serve.RunAsync("metrics");
        Assert.Equal((0, ""), (metrics.code, metrics.error));
        Assert.Contains("cocaine_app_state{app=\"hello\",state=\"running\"} 1\n", metrics.output);
        await load.ForAsync(200);

        Code("wednesday");
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("\"version\": 0", "\"version\": 1"));
        (code, output, error) = await serve.RunAsync("app", "restart", "--all");
        Assert.Equal((0, "restarted app=hello version=0\n"), (code, output));
        Assert.Equal($"app hello: {manifest} has changed since; a restart keeps the manifest that runs: a SIGHUP takes it\n", error);
        Assert.Equal("wednesday", await AnswerAsync(serve));
        await load.ForAsync(200);
        Assert.Empty(await load.StopAsync());
        (code, output, _) = await serve.RunAsync("app", "restart", "hello", "--json");
        JsonElement done = JsonSerializer.Deserialize<JsonElement>(output);
        Assert.Equal((0, "hello", true), (code, done.GetProperty("app").GetString(), done.GetProperty("restarted").GetBoolean()));
    }

    [Fact]
    public async Task A_health_check_says_what_is_ill_and_is_bounded()
    {
        Code("good");
        string good = Manifest(_folder);
        string broken = _folder.Write("broken.json", $$"""
            { "type": "python", "args": "local://{{_folder.Write("broken.py", "raise RuntimeError('no database')\n")}}",
              "tasks": { "event": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } } }
            """);
        using ServeProcess serve = await ServeProcess.StartAsync(
            _folder, $"\"apps\": [\"{good}\", \"{broken}\", \"{_folder["absent.json"]}\"]");
        using (CancellationTokenSource limit = new(TimeSpan.FromSeconds(60)))
        {
            while ((await serve.RunAsync("health", "broken")).Code == 0) // three starts are tried first
            {
                limit.Token.ThrowIfCancellationRequested();
            }
        }

        (int code, string output, string error) = await serve.RunAsync("health");
        string[] lines = output.TrimEnd().Split('\n');
        Assert.Equal((1, "", 2), (code, error, lines.Length));
        Assert.StartsWith($"{_folder["absent.json"]} failed: ", lines[0]);
        Assert.StartsWith("broken broken: ", lines[1]);
        Assert.Contains("no database", lines[1]);
        Assert.Equal((0, "healthy apps=1\n", ""), await serve.RunAsync("health", "hello"));
        Assert.Equal((1, "", "no app none runs here\n"), await serve.RunAsync("health", "none"));
        (code, output, _) = await serve.RunAsync("health", "--json");
        JsonElement report = JsonSerializer.Deserialize<JsonElement>(output);
        Assert.Equal((1, false, 3), (code, report.GetProperty("healthy").GetBoolean(), report.GetProperty("apps").GetArrayLength()));

        await serve.RunAsync("app", "pause", "hello");
        Assert.Equal((0, "healthy apps=1\n", ""), await serve.RunAsync("health", "hello"));
        Assert.Equal((1, "hello paused\n", ""), await serve.RunAsync("health", "hello", "--serving"));

        serve.Signal("STOP");
        (code, output, error) = await serve.RunAsync("health", "--timeout", "0.5");
        serve.Signal("CONT");
        Assert.Equal((3, ""), (code, output));
        Assert.StartsWith($"the node at {serve.Endpoint} did not answer within 0.5 s", error);
        serve.Signal("TERM");
        Assert.Equal(0, await serve.ExitAsync());
        Assert.Equal(3, (await serve.RunAsync("health")).Code);
    }

    [Fact]
    public async Task An_app_whose_slaves_die_once_they_are_ready_is_not_healthy()
    {
        string dying = _folder.Write("dying.json", $$"""
            { "type": "python", "args": "local://{{_folder.Write("dying.py", """
                import os, threading
                threading.Timer(0.02, os._exit, [3]).start()
                def work(request): return request
                """)}}", "engine": { "pool-minimum": 1, "pool-limit": 1 },
              "tasks": { "event": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } } }
            """);
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, $"\"apps\": [\"{dying}\"]");
        await using NodeControlClient control = await serve.ConnectAsync();
        using (CancellationTokenSource limit = new(TimeSpan.FromSeconds(60)))
        {
            while ((await control.ListAsync(limit.Token)).Single().State != "failing")
            {
                limit.Token.ThrowIfCancellationRequested();
            }
        }

        (int code, string output, string error) = await serve.RunAsync("health");
        Assert.Equal((1, ""), (code, error));
        Assert.Matches("^dying (failing|broken): .*exit code 3", output);
    }

    [Fact]
    public async Task An_app_that_could_not_be_started_is_started_by_a_restart()
    {
        string manifest = Manifest(_folder); // its code is not there yet
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, $"\"apps\": [\"{manifest}\"]");
        Assert.Equal(1, (await serve.RunAsync("health")).Code);
        (int code, _, string error) = await serve.RunAsync("app", "restart", manifest);
        Assert.Equal(2, code);
        Assert.Contains("mend it, and send SIGHUP", error); // what has no name yet
        string created = _folder.Write("made.json", File.ReadAllText(manifest).Replace("hello.sock", "made.sock"));
        Code("there");
        Assert.Equal(0, (await serve.RunAsync("app", "create", created)).Code);
        serve.Signal("TERM");
        await serve.ExitAsync();
        File.Delete(_folder["hello.py"]);

        using ServeProcess again = await ServeProcess.StartAsync(_folder);
        Assert.Contains("made failed: ", (await again.RunAsync("health")).Output);
        Code("there");
        Assert.Equal((0, "restarted app=made version=0\n", "app made: it did not run, and was started\n"), await again.RunAsync("app", "restart", "made"));
    }

    [Fact]
    public async Task What_was_never_there_has_no_events_and_what_was_deleted_has()
    {
        Code("x");
        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        Assert.Equal(0, (await serve.RunAsync("app", "create", Manifest(_folder))).Code);
        (int code, string output, string error) = await serve.RunAsync("events", "helo");
        Assert.Equal((1, "", "error 404: no app helo runs here; did you mean 'hello'?\n"), (code, output, error));
        Assert.Equal(0, (await serve.RunAsync("app", "delete", "hello")).Code);
        (code, output, _) = await serve.RunAsync("events", "hello", "--json");
        Assert.Equal(0, code);
        Assert.Contains("\"kind\":\"deleted\"", output.ToLowerInvariant());
    }

    [Fact]
    public async Task A_node_of_another_version_is_told_in_one_line_but_not_to_programs()
    {
        _folder.Write("old.py", "def list(request):\n    return b'[]'\n"); // a node from before there was a method version
        string manifest = _folder.Write("old.json", $$"""
            { "type": "python", "args": "local://{{_folder["old.py"]}}",
              "tasks": { "event": { "type": "native-server", "endpoint": "ipc://{{_folder["old.sock"]}}", "events": ["list"] } } }
            """);
        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        Assert.Equal(0, (await serve.RunAsync("app", "create", manifest)).Code);
        (int code, _, string error) = await serve.RunAsync("app", "list", "--node", $"ipc://{_folder["old.sock"]}");
        Assert.Equal(0, code);
        Assert.Matches(@"^note: the node is of an older version \(control protocol 1\), this command \S+ \(4\): .*\n$", error);
        Assert.Equal((0, "[]\n", ""), await serve.RunAsync("app", "list", "--json", "--node", $"ipc://{_folder["old.sock"]}"));
    }

    private void Code(string answer)
    {
        _folder.Write("hello.py.new", $"def echo(request):\n    return request\n\ndef day(request):\n    return b'{answer}'\n");
        File.Move(_folder["hello.py.new"], _folder["hello.py"], overwrite: true);
    }

    private string Manifest(TestFolder folder) => folder.Write("hello.json", $$"""
        { "type": "python", "args": "local://{{folder["hello.py"]}}", "version": 0, "engine": { "pool-limit": 2, "queue-limit": 100 },
          "tasks": { "event": { "type": "native-server", "endpoint": "{{Socket}}", "events": ["echo", "day"] } } }
        """);

    private async Task<string> AnswerAsync(ServeProcess serve)
    {
        (int code, string output, string error) = await serve.RunAsync("call", Socket, "day");
        Assert.Equal((0, ""), (code, error));
        return output;
    }
}
