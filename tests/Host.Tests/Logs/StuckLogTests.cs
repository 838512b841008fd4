using System.Diagnostics;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Host.Tests.Logs;

/// <summary>Standard error may lead to a pager that nobody scrolls, or to a service that hangs.</summary>
public class StuckLogTests
{
    [Fact]
    public async Task A_log_that_nobody_reads_holds_no_call_up()
    {
        using TestFolder folder = new();
        folder.Write("app.py", """
            import os
            def flood(request):
                os.write(1, (b"x" * 1000 + b"\n") * 4000)
                return request
            """);
        string endpoint = $"ipc://{folder["flood.sock"]}";
        string manifest = folder.Write("app.json", $$"""
            { "name": "flood", "type": "python", "args": "app.py",
              "tasks": { "flood": { "type": "native-server", "endpoint": "{{endpoint}}" } } }
            """);
        using Process node = Process.Start(new ProcessStartInfo(
            ServeProcess.Program, ["run", manifest, "--locator", "none", "--ledger-folder", folder["ledger"]])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            Assert.StartsWith("ready ", await node.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)), StringComparison.Ordinal);
            await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
            for (byte call = 0; call < 5; call++) // 20 MB of lines: more than any pipe and queue between takes
            {
                Assert.Equal([call], await client.CallAsync("flood", new[] { call }).WaitAsync(TimeSpan.FromSeconds(30)));
            }
        }
        finally
        {
            node.Kill();
        }
    }
}
