using System.Net;
using System.Net.Sockets;

namespace Cocaine.Fast.Host.Tests.Survival;

/// <summary>Every start of the program that cannot succeed ends with its exit code and a line that says why: never by a signal, never with a stack.</summary>
[Collection(nameof(Alone))]
public sealed class FailedStartTests : IDisposable
{
    /// <summary>Memory that is freed twice ends a process most times, not each time.</summary>
    private const int Rounds = 6;

    private readonly TestFolder _folder = new();
    private readonly TcpListener _taken = new(IPAddress.Any, 0);

    public FailedStartTests() => _taken.Start();

    private int Port => ((IPEndPoint)_taken.LocalEndpoint).Port;

    public void Dispose()
    {
        _taken.Stop();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_locator_port_that_is_taken_is_told_each_time()
    {
        string serve = Config("node.json", $"\"locator\": \"tcp://127.0.0.1:{Port}\"");
        for (int round = 0; round < Rounds; round++)
        {
            await FailsAsync($"run {HostProcess.Echo} --locator tcp://127.0.0.1:{Port} --ledger-folder {_folder["ledger"]}", "the locator: ");
            await FailsAsync($"serve --config {serve}", "the locator: ");
        }
    }

    [Theory]
    [InlineData("\"control\": { \"endpoint\": \"ipc:///proc/x/control.sock\" }", "the control endpoint: ")]
    [InlineData("\"control\": { \"zeromq\": \"tcp://127.0.0.1:PORT\" }", "control.zeromq: ")]
    [InlineData("\"state\": \"/proc/x\"", "the state folder ")]
    [InlineData("\"state\": \"/dev/null\"", "the state folder ")]
    [InlineData("\"locator\": \"tcp://192.0.2.1:1\"", "the locator: ")]
    [InlineData("\"loops\": 1024", "", "ulimit -n 1024;")]
    public async Task A_daemon_says_what_it_lacks(string key, string text, string limits = "")
    {
        string config = Config("lacks.json", key.Replace("PORT", $"{Port}"));
        for (int round = 0; round < 3; round++)
        {
            await FailsAsync($"serve --config {config}", text, limits);
        }
    }

    [Fact]
    public async Task A_state_folder_and_a_control_socket_of_another_node_are_told()
    {
        using ServeProcess first = await ServeProcess.StartAsync(_folder);
        await FailsAsync($"serve --config {_folder["node.json"]}", "is used by another node (process ");
        string config = Config(
            "second.json", $"\"state\": \"{_folder["state2"]}\", \"control\": {{ \"endpoint\": \"{first.Endpoint}\" }}");
        await FailsAsync($"serve --config {config}", "another node is controlled there");
        File.Delete(Path.Combine(_folder["state"], "lock"));
        await FailsAsync($"serve --config {_folder["node.json"]}", "is used by another node (process ");
    }

    [Theory]
    [InlineData("\"tasks\": { \"x\": { \"type\": \"native-server\", \"endpoint\": \"tcp://127.0.0.1:PORT\" } }", 1)]
    [InlineData("\"tasks\": { \"x\": { \"type\": \"raw-server\", \"endpoint\": \"tcp://127.0.0.1:PORT\" } }", 1)]
    [InlineData("\"tasks\": { \"x\": { \"type\": \"native-server\", \"endpoint\": \"ipc:///proc/x/y.sock\" } }", 1)]
    [InlineData("\"pubsub\": { \"endpoint\": \"tcp://127.0.0.1:PORT\" }, \"tasks\": { \"x\": { \"type\": \"manual-scheduler\" } }", 1)]
    [InlineData("\"isolation\": { \"user\": \"no-such-user\" }, \"tasks\": { \"x\": { \"type\": \"manual-scheduler\" } }", 1)]
    [InlineData("\"isolation\": { \"working-folder\": \"/no/such/folder\" }, \"tasks\": { \"x\": { \"type\": \"manual-scheduler\" } }", 1)]
    [InlineData("\"tasks\": { \"x\": { \"type\": \"nothing\" } }", 2)]
    [InlineData("\"tasks\": ", 2)]
    public async Task An_app_that_cannot_be_started_ends_a_run_with_its_reason(string keys, int code)
    {
        string manifest = _folder.Write(
            "bad.json", $$"""{ "type": "python", "args": "local://{{Repository.Root}}/examples/echo/echo.py", {{keys.Replace("PORT", $"{Port}")}} }""");
        for (int round = 0; round < 3; round++)
        {
            await FailsAsync($"run {manifest} --locator none --ledger-folder {_folder["ledger"]}", "", code: code);
        }
    }

    [Theory]
    [InlineData("run /no/such/manifest.json", 2)]
    [InlineData("run /proc/self/mem", 2)]
    [InlineData("run /", 2)]
    [InlineData("serve --config /no/such/node.json", 2)]
    [InlineData("serve --config /", 2)]
    [InlineData("run ECHO --locator nonsense", 1)]
    [InlineData("run ECHO --locator none --state /proc/x", 1)]
    [InlineData("run ECHO --locator none --runtime-folder /proc/x", 1)]
    public async Task Files_and_words_that_are_wrong_are_told(string words, int code) =>
        await FailsAsync($"{words.Replace("ECHO", HostProcess.Echo)}", "", code: code);

    private string Config(string name, string key)
    {
        string Default(string of, string value) => key.Contains($"\"{of}\":") ? "" : $"\"{of}\": {value}, ";
        return _folder.Write(name, "{ " + Default("state", $"\"{_folder["own-state"]}\"") + Default("ledger", $"\"{_folder["ledger"]}\"")
            + Default("locator", "\"none\"") + Default("control", $"{{ \"endpoint\": \"ipc://{_folder["own.sock"]}\" }}") + key + " }");
    }

    private async Task FailsAsync(string words, string text, string before = "", int code = 1)
    {
        (int ended, string output, string errors) = await HostProcess.RunAsync(_folder, words, before);
        Assert.True(ended == code, $"{words}: exit code {ended}\n{output}\n{errors}");
        Assert.Contains(text, errors);
        Assert.NotEqual("", errors);
        Assert.DoesNotContain("   at ", errors);
        Assert.DoesNotContain("Unhandled", errors);
    }
}
