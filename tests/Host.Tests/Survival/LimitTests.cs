using Cocaine.Fast.Client;

namespace Cocaine.Fast.Host.Tests.Survival;

/// <summary>
/// Few descriptors, few processes: a node says at once that it cannot run, or it serves with the slaves that fit and drains at its end. It is
/// never the pool that takes the last ones.
/// </summary>
[Collection(nameof(Alone))]
public sealed class LimitTests : IDisposable
{
    private const int Jobs = 24;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(64)]
    [InlineData(100)]
    [InlineData(128)]
    [InlineData(175)]
    public async Task Too_few_descriptors_are_told_before_anything_starts(int limit)
    {
        (int code, string output, string errors) = await HostProcess.RunAsync(_folder, $"run {HostProcess.Echo} --locator none", $"ulimit -n {limit};");
        Assert.Equal((1, ""), (code, output));
        Assert.Matches($"^cannot start: a node needs [0-9]+ descriptors, and its limit is {limit}: raise the limit of open files .*\n$", errors);
    }

    [Theory]
    [InlineData(176)]
    [InlineData(200)]
    [InlineData(256)]
    [InlineData(400)]
    public async Task With_few_descriptors_it_serves_with_the_slaves_that_fit(int limit)
    {
        string manifest = Manifest();
        using HostProcess node = HostProcess.Start(
            _folder, $"run {manifest} --locator none --ledger-folder {_folder["ledger"]}", $"ulimit -n {limit};");
        await ServesAndDrainsAsync(node, "of [0-9]+ descriptors are in use");
    }

    [RootFact]
    public async Task With_few_processes_it_serves_with_the_slaves_that_fit()
    {
        string manifest = Manifest();
        Unprivileged.Run("/bin/chmod", "0755", _folder.Path);
        int told = 0, served = 0;
        for (uint processes = 20, user = 61_000; processes <= 40; processes += 4, user++)
        {
            using Unprivileged place = new(user);
            using HostProcess node = HostProcess.Start(
                _folder, $"run {manifest} --locator none --ledger-folder {place.Folder}/ledger", $"export {place.Environment};",
                wrapper: $"setpriv --reuid {user} --regid {user} --clear-groups prlimit --nproc={processes}:{processes}");
            string line = await node.UntilAsync("app=", "cannot start: ");
            if (line.StartsWith("ready", StringComparison.Ordinal))
            {
                served++;
                await ServesAndDrainsAsync(node, "more processes or threads are allowed");
            }
            else
            {
                told++;
                Assert.Equal(1, await node.ExitAsync());
                Assert.Contains("processes and threads", line);
            }
        }

        Assert.True(told > 0 && served > 0, $"{told} said that they cannot run, {served} served");
    }

    /// <summary>As many slaves as there may be, for as many jobs at once.</summary>
    private string Manifest() => _folder.Write("echo.json", $$"""
        { "type": "python", "args": "local://{{Repository.Root}}/tests/apps/behaviours.py",
          "engine": { "pool-limit": 200, "queue-limit": 0, "heartbeat-timeout": 120 },
          "tasks": { "echo": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } } }
        """);

    private async Task ServesAndDrainsAsync(HostProcess node, string reason)
    {
        try
        {
            await TryAsync(node, reason);
        }
        catch (ConnectionLostException lost)
        {
            Assert.Fail($"{lost.Message}; the node has ended: {node.Process.WaitForExit(5000)}\n{node.Errors}");
        }
    }

    private async Task TryAsync(HostProcess node, string reason)
    {
        await using CocaineClient client = await CocaineClient.ConnectAsync(await node.UntilReadyAsync());
        string release = _folder[$"release-{node.Process.Id}"], last = _folder[$"last-{node.Process.Id}"];
        Task<byte[]>[] jobs = [.. Enumerable.Range(0, Jobs).Select(_ => client.CallAsync("hold", Utf8.Of(release)))]; // one a slave
        Assert.Matches(reason, await node.UntilAsync("pool holds, the node has room for "));
        File.WriteAllText(release, "");
        await Task.WhenAll(jobs);
        Task<byte[]> held = client.CallAsync("hold", Utf8.Of(last));
        await client.InfoAsync(); // behind it on the same connection: the node has the job
        node.Signal("TERM");
        await node.UntilAsync("stopping on SIGTERM");
        File.WriteAllText(last, "");
        await held;
        Assert.Equal(0, await node.ExitAsync());
        Assert.DoesNotContain("   at ", node.Errors);
    }
}
