using System.Diagnostics;
using Cocaine.Fast.Host.Tests.Survival;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Host.Tests.Commands;

/// <summary>What <c>call</c> makes of its arguments, of a request that cannot be read, and of an interruption.</summary>
[Collection(nameof(Alone))]
public sealed class CallTests : IAsyncLifetime
{
    private readonly TestNode _node = TestNode.Start();
    private readonly TestFolder _folder = new();
    private RunningApp _app = null!;

    private string Endpoint => _app.Endpoints[0].Endpoint;

    public async Task InitializeAsync() => _app = await _node.AddAsync(Versions.Python(1));

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("@hello")]
    [InlineData("@/etc/hostname")]
    [InlineData("@@")]
    public async Task A_request_that_begins_with_an_at_sign_is_sent_as_it_is(string data) =>
        Assert.Equal((0, data, ""), await RunAsync($"call {Endpoint} echo --data {data}"));

    [Theory]
    [InlineData("--file /nonexistent", 2, "/nonexistent")]
    [InlineData("--file /tmp", 2, "/tmp is a folder")]
    [InlineData("--file x --data y", 2, "--data and --file are both the request")]
    [InlineData("--file - <&-", 2, "standard input is closed")]
    [InlineData("--deadline nan", 2, "'nan' is no time")]
    [InlineData("--deadline 1e300", 2, "'1e300' is no time")]
    [InlineData("--deadline Infinity", 2, "'Infinity' is no time")]
    [InlineData("--deadline 1,5", 2, "'1,5' is no time")]
    [InlineData("--deadline 0", 2, "'0' is no time")]
    [InlineData("--timeout -1", 2, "'-1' is no time")]
    public async Task A_wrong_argument_is_told_at_once(string words, int code, string text)
    {
        (int actual, string output, string error) = await RunAsync($"call {Endpoint} echo {words}");
        Assert.Equal((code, ""), (actual, output));
        Assert.Contains(text, error);
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task An_interrupted_call_exits_as_shells_expect_and_its_job_is_cancelled(string signal, int code)
    {
        using HostProcess call = HostProcess.Start(_folder, $"call {Endpoint} echo --file -"); // its input stays open
        await _app.UntilInfoShowsAsync("\"running\":1");
        using Process kill = Process.Start("kill", [$"-{signal}", $"{call.Process.Id}"]);
        Assert.Equal(code, await call.ExitAsync());
        Assert.Contains("interrupted", call.Errors);
        await _app.UntilInfoShowsAsync("\"running\":0");
    }

    [Fact]
    public async Task A_wrong_key_of_a_seal_is_told_with_its_file()
    {
        using SealKeys keys = new("billing");
        string words = $"call {Endpoint} echo --data x --app app --node-key {keys.NodeKey} --seal";
        foreach ((string key, int code, string text) in ((string, int, string)[])[("/nonexistent", 2, "/nonexistent"),
            (keys.NodeKey, 2, keys.NodeKey), (keys.KeyOf("billing"), 1, "this door takes no sealed requests")])
        {
            (int actual, string output, string error) = await RunAsync($"{words} {key}");
            Assert.Equal((code, ""), (actual, output));
            Assert.Contains(text, error);
        }
    }

    private Task<(int Code, string Output, string Errors)> RunAsync(string words) => HostProcess.RunAsync(_folder, words);
}
