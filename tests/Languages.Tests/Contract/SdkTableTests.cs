using System.Diagnostics;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Languages.Tests.Apps;
using Cocaine.Fast.Languages.Tests.Cpp;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Languages.Tests.Contract;

/// <summary>The table "What each SDK can" of docs/languages.md, row by row, by the contract's app in every language.</summary>
public class SdkTableTests
{
    private const string NoSuchEvent = "zork";

    [Fact]
    public Task Python_can_what_the_table_says() => RowsAsync(AppType.Python, "python/contract.py");

    [Fact]
    public Task DotNet_can_what_the_table_says() => RowsAsync(AppType.DotNet, "dotnet/bin/Release/net10.0/Contract.dll");

    [NeedsFact("perl", "perl")]
    public Task Perl_can_what_the_table_says() => RowsAsync(AppType.Perl, "perl/contract.pl");

    [NeedsFact("node", "nodejs")]
    public Task JavaScript_can_what_the_table_says() => RowsAsync(AppType.JavaScript, "javascript/contract.mjs");

    [CppFact]
    public Task Cpp_can_what_the_table_says() => RowsAsync(AppType.Cpp, CppBuild.ContractProgram);

    [Fact]
    public void The_table_has_no_hole()
    {
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs/languages.md"));
        string[][] rows = [.. page[page.IndexOf("## What each SDK can", StringComparison.Ordinal)..].Split('\n').SkipWhile(line => !line.StartsWith('|'))
            .TakeWhile(line => line.StartsWith('|')).Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries))];
        Assert.Equal(["", "Python", "JavaScript", "Perl", "C++", ".NET"], rows[0]);
        Assert.True(rows.Length > 10);
        Assert.All(rows.Skip(2), row => Assert.True(row.Length == 6 && row.Skip(1).All(cell => cell.Contains('`')), string.Join(" | ", row)));
    }

    private static async Task RowsAsync(AppType type, string file)
    {
        await using TestNode node = TestNode.Start();
        string name = $"table-{type}".ToLowerInvariant();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py") with
        {
            Name = name,
            Type = type,
            Version = 7,
            Code = new CodeSource { Source = Path.Combine(Repository.Root, "tests/contract", file) },
            Engine = new EngineSettings { PoolLimit = 1, Concurrency = 64, QueueLimit = 1000 },
        });
        await using CocaineClient client = await TestNode.ConnectAsync(app);

        await using (ClientCall call = client.Open("body"))
        {
            foreach (string part in (string[])["in ", "three ", "parts"])
            {
                await call.WriteAsync(Utf8.Of(part));
            }

            await call.CompleteAsync();
            Assert.Equal("in three parts", Encoding.UTF8.GetString((await call.ReadAsync())!.Value.Span));
        }

        CallOptions traced = new() { TraceId = 258, SpanId = 3 };
        Assert.Equal([2, 1, 0, 0, 0, 0, 0, 0], await client.CallAsync("header", Utf8.Of("trace_id"), traced));
        Assert.Equal("none", await ScriptApps.TextAsync(client, "header", "no-such-header"));
        Assert.Equal("258 3 0", Encoding.UTF8.GetString(await client.CallAsync("ids", default, traced)));
        Assert.Equal("0 0 0", await ScriptApps.TextAsync(client, "ids", ""));
        Assert.Equal((43, 78, "own category"), await ErrorAsync(client, "category"));
        Assert.Equal((42, 77, "mine"), await ErrorAsync(client, "refuses"));
        Assert.EndsWith(" whoami 7", await ScriptApps.TextAsync(client, "whoami", ""), StringComparison.Ordinal);
        Assert.Equal((1000, 404, $"there is no event '{NoSuchEvent}' in app '{name}'"), await ErrorAsync(client, NoSuchEvent));

        await using (ClientCall call = client.Open("cancelled"))
        {
            Assert.Equal("waiting", Encoding.UTF8.GetString((await call.ReadAsync())!.Value.Span));
        }

        await node.LogLines.UntilAsync("cancelled was seen").WaitAsync(TimeSpan.FromSeconds(20));

        await LongAnswerAsync(app, client);
        await using (ClientCall call = client.Open("waits"))
        {
            Assert.NotNull(await call.ReadAsync());
        }

        await UntilAsync("waits was cancelled by [42, 1]: the client gave up");
        await using (CocaineClient other = await TestNode.ConnectAsync(app))
        {
            Assert.NotNull(await other.Open("waits").ReadAsync());
        }

        await UntilAsync("waits was cancelled by [1000, 400]: the client went away");
        await using (ClientCall call = client.Open("waits", new CallOptions { Deadline = TimeSpan.FromMilliseconds(300) }))
        {
            Assert.NotNull(await call.ReadAsync());
            await UntilAsync("waits was cancelled by [1000, 520]: ");
        }

        Task UntilAsync(string line) => node.LogLines.UntilAsync(line).WaitAsync(TimeSpan.FromSeconds(20));
    }

    /// <summary>The app answers with its request, which is longer than a chunk may be: its job fails, and the slave goes on.</summary>
    private static async Task LongAnswerAsync(RunningApp app, CocaineClient client)
    {
        string before = await ScriptApps.TextAsync(client, "whoami", "");
        string line = $"head -c 70000000 /dev/zero | {ServeProcess.Program} call {app.Endpoints[0].Endpoint} echo --file - | wc -c";
        ProcessStartInfo shell = new("/bin/sh", ["-c", line]) { RedirectStandardError = true, RedirectStandardOutput = true };
        using Process call = Process.Start(shell)!;
        Task<string> complaint = call.StandardError.ReadToEndAsync(), bytes = call.StandardOutput.ReadToEndAsync();
        await call.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(120));
        Assert.Matches("error 413: .*a chunk has at most 67108864 bytes, and this one has 70000000: write it in pieces", await complaint);
        Assert.Equal("0", (await bytes).Trim());
        Assert.Equal(before, await ScriptApps.TextAsync(client, "whoami", "")); // the same slave
    }

    private static async Task<(int Category, int Code, string Text)> ErrorAsync(CocaineClient client, string name)
    {
        CocaineException failure = await Assert.ThrowsAsync<CocaineException>(() => ScriptApps.TextAsync(client, name, ""));
        return (failure.Category, failure.Code, failure.Message);
    }
}
