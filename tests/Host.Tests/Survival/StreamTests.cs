using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Tests.Survival;

/// <summary>Standard streams that take nothing: a node goes on without them, and a command whose output is lost says so by its exit code.</summary>
[Collection(nameof(Alone))]
public sealed class StreamTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(">/dev/full")]
    [InlineData(">&-")]
    [InlineData("2>/dev/full")]
    [InlineData("2>&-")]
    [InlineData(">/dev/full 2>/dev/full")]
    [InlineData("<&- >&- 2>&-")]
    public async Task A_node_serves_and_drains_whatever_its_streams_are(string streams)
    {
        string socket = _folder["echo.sock"];
        string manifest = _folder.Write("echo.json", $$"""
            { "type": "python", "args": "local://{{Repository.Root}}/examples/echo/echo.py",
              "tasks": { "echo": { "type": "native-server", "endpoint": "ipc://{{socket}}", "events": "*" } } }
            """);
        using HostProcess node = HostProcess.Start(
            _folder, $"run {manifest} --locator none --ledger-folder {_folder["ledger"]} {streams}");
        await using CocaineClient client = await UntilServesAsync(node, $"ipc://{socket}");
        Assert.Equal("x", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("x"))));
        node.Signal("TERM");
        Assert.Equal(0, await node.ExitAsync());
    }

    [Fact]
    public async Task A_node_outlives_the_reader_of_its_output()
    {
        string socket = _folder["echo.sock"];
        string manifest = _folder.Manifest("echo");
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("tcp://127.0.0.1:0", $"ipc://{socket}"));
        string fifo = _folder["fifo"];
        using HostProcess node = HostProcess.Start(
            _folder, $"run {manifest} --locator none --ledger-folder {_folder["ledger"]} >'{fifo}' 2>'{fifo}'",
            before: $"mkfifo '{fifo}'; (exec 3<'{fifo}'; read -r _ <&3) &");
        await using CocaineClient client = await UntilServesAsync(node, $"ipc://{socket}");
        Assert.Equal("x", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("x"))));
        node.Signal("TERM");
        Assert.Equal(0, await node.ExitAsync());
    }

    [Fact]
    public async Task A_daemon_on_a_full_disk_creates_apps()
    {
        using ServeProcess fine = await ServeProcess.StartAsync(_folder); // writes the config
        fine.Signal("TERM");
        Assert.Equal(0, await fine.ExitAsync());
        using HostProcess daemon = HostProcess.Start(_folder, $"serve --config {_folder["node.json"]} >/dev/full");
        await daemon.UntilAsync("serving: ");
        await using (NodeControlClient node = await NodeControlClient.ConnectAsync(fine.Endpoint))
        {
            string echo = HostProcess.Echo;
            AppSummary made = await node.CreateReadyAsync(new ManifestText(File.ReadAllBytes(echo), echo));
            Assert.Null(made.Reason);
        }

        await daemon.UntilAsync("standard output takes no lines");
        await using NodeControlClient again = await NodeControlClient.ConnectAsync(fine.Endpoint);
        Assert.Equal("echo", Assert.Single(await again.ListAsync()).App);
        daemon.Signal("TERM");
        Assert.Equal(0, await daemon.ExitAsync());
    }

    [Theory]
    [InlineData("check ECHO")]
    [InlineData("schema")]
    [InlineData("--help")]
    [InlineData("--version")]
    [InlineData("run --help")]
    public async Task A_command_whose_output_is_lost_fails_with_a_line(string words)
    {
        foreach (string stream in new[] { ">/dev/full", ">&-" })
        {
            (int code, _, string errors) = await HostProcess.RunAsync(_folder, $"{words.Replace("ECHO", HostProcess.Echo)} {stream}");
            Assert.Equal(1, code);
            Assert.Single(errors.TrimEnd('\n').Split('\n'));
            Assert.NotEqual("", errors);
        }
    }

    /// <summary>Where no line can be read, only the socket tells that the node serves.</summary>
    private static async Task<CocaineClient> UntilServesAsync(HostProcess node, string endpoint)
    {
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(60));
        while (true)
        {
            try
            {
                return await CocaineClient.ConnectAsync(endpoint);
            }
            catch (ConnectionLostException)
            {
                Assert.False(node.Process.HasExited, $"it ended with an exit code\n{node.Output}\n{node.Errors}");
                await Task.Delay(20, late.Token);
            }
        }
    }
}
