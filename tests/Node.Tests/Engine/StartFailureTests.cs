namespace Cocaine.Fast.Node.Tests.Engine;

/// <summary>An app that cannot start, as its operator sees it.</summary>
public sealed class StartFailureTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_mistake_in_the_code_is_shown_once_without_frames_of_the_sdk_and_then_counted()
    {
        using RunProcess node = RunProcess.Start(
            _folder, "def work(request:\n    return request\n", "\"engine\": { \"pool-limit\": 4, \"pool-minimum\": 3 }");
        await node.UntilLogAsync(log => log.Contains("app[206]") && log.Contains(" 5 times within "));
        string first = node.Log;
        string[] lines = [.. first.Split('\n').Where(line => line.Contains("app[402]"))];

        // Once; twice when one of those that start together is overtaken by another.
        Assert.InRange(lines.Count(line => line.Contains("SyntaxError")), 1, 2);
        Assert.True(lines.Length <= 10, first);
        Assert.DoesNotContain("importlib", first);
        Assert.DoesNotContain("workers/python", first);
        Assert.Single(first.Split('\n'), line => line.Contains("app[204]")); // the whole cause
        Assert.Matches(@"app\[230\] app: slave \w+ died while Starting, for the same reason as the slave before it, 2 times within \d+ s: "
            + "exit code 1: SyntaxError: ", first);
        Assert.Matches(@"app\[206\] app: broken: .*Last cause: exit code 1: SyntaxError: ", first);

        _folder.Write("app.py", "raise RuntimeError('no database')\n"); // another cause is news
        await node.UntilLogAsync(log => log.Contains("RuntimeError: no database") && log.Split("app[204]").Length == 3);
        _folder.Write("app.py", "print('loading', flush=True)\ndef work(request):\n    return request\n");
        await node.UntilLogAsync(log => log.Contains("is ready over"));
        Assert.Matches(@"app\[401\] app/\w+: loading", node.Log); // what is held until a worker is ready is not lost
    }
}
