using System.Text;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Host.Tests.Survival;

/// <summary>What signals do to a node, as the table of docs/node.md says it: none but SIGKILL takes a job with it.</summary>
[Collection(nameof(Alone))]
public sealed class SignalTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("QUIT")]
    [InlineData("HUP")]
    public async Task A_run_answers_what_it_has_and_says_which_signal_ended_it(string signal)
    {
        using HostProcess node = HostProcess.Start(
            _folder, $"run {HostProcess.Echo} --locator none --ledger-folder {_folder["ledger"]}");
        await AnswersOverAsync(node, await node.UntilReadyAsync(), signal);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("QUIT")]
    public async Task A_daemon_answers_what_it_has_and_says_which_signal_ended_it(string signal)
    {
        using (ServeProcess first = await ServeProcess.StartAsync(_folder, $"\"apps\": [\"{HostProcess.Echo}\"]"))
        {
            first.Signal("TERM");
            Assert.Equal(0, await first.ExitAsync());
        }

        using HostProcess node = HostProcess.Start(_folder, $"serve --config {_folder["node.json"]}");
        string endpoint = await node.UntilReadyAsync();
        node.Signal("HUP");
        await node.UntilAsync("SIGHUP: reading ");
        await AnswersOverAsync(node, endpoint, signal);
    }

    [Fact]
    public async Task Signals_that_mean_nothing_to_a_node_are_ignored_with_a_line()
    {
        using HostProcess node = HostProcess.Start(
            _folder, $"run {HostProcess.Echo} --locator none --ledger-folder {_folder["ledger"]}");
        string endpoint = await node.UntilReadyAsync();
        foreach (string signal in new[] { "USR1", "USR2", "ALRM" })
        {
            node.Signal(signal);
            await node.UntilAsync($"SIG{signal} is ignored");
        }

        await AnswersOverAsync(node, endpoint, "TERM");
    }

    [Fact]
    public async Task A_terminal_that_is_closed_says_so_twice_and_that_is_no_second_signal()
    {
        using HostProcess node = HostProcess.Start(
            _folder, $"run {HostProcess.Echo} --locator none --ledger-folder {_folder["ledger"]}");
        string endpoint = await node.UntilReadyAsync();
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
        Task<byte[]> slow = client.CallAsync("slow", Utf8.Of("2"));
        await client.InfoAsync(); // behind it on the same connection: the node has the job
        node.Signal("HUP");
        await node.UntilAsync("stopping on SIGHUP");
        node.Signal("HUP");
        Assert.Equal("done", Encoding.UTF8.GetString(await slow));
        Assert.Equal(0, await node.ExitAsync());
    }

    private static async Task AnswersOverAsync(HostProcess node, string endpoint, string signal)
    {
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
        Task<byte[]> slow = client.CallAsync("slow", Utf8.Of("2"));
        await client.InfoAsync(); // behind it on the same connection: the node has the job
        node.Signal(signal);
        await node.UntilAsync($"stopping on SIG{signal}: ");
        Assert.Equal("done", Encoding.UTF8.GetString(await slow));
        Assert.Equal(0, await node.ExitAsync());
        Assert.Contains("cocaine-fast[602] stopped", node.Errors);
    }
}
