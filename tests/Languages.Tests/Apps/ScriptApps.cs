using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Languages.Tests.Apps;

/// <summary>What an app in a scripting language must do on a real node, with the contract's app in that language.</summary>
internal static class ScriptApps
{
    public static async Task AnswersAndErrorsAsync(AppManifest manifest)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(manifest);
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal($"hello {i}", await TextAsync(client, "echo", $"hello {i}"));
        }

        string[] expected = [.. Enumerable.Range(0, 500).Select(i => $"{i}")];
        Assert.Equal(expected, await Task.WhenAll(expected.Select(text => TextAsync(client, "echo", text))));
        Assert.Empty(await client.CallAsync("echo", Array.Empty<byte>()));
        Assert.Equal("0123456789", await TextAsync(client, "count", "10"));
        await FailsAsync(client, "raises", "no luck", 1000, 502, "no luck");
        await FailsAsync(client, "refuses", "", 42, 77, "mine");
        await FailsAsync(client, "nothing", "", 1000, 404, "nothing");
        await node.LogLines.UntilAsync("no luck").WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Contains("\"pipe\":\"socket\"", await app.InfoJsonAsync());
    }

    public static async Task StreamsAsync(AppManifest manifest)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(manifest);
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        await using (ClientCall call = client.Open("relay"))
        {
            foreach (string chunk in (string[])["one", "two", "three"])
            {
                await call.WriteAsync(Utf8.Of(chunk));
                Assert.Equal(chunk, Encoding.UTF8.GetString((await call.ReadAsync())!.Value.Span));
            }

            await call.CompleteAsync();
            Assert.Null(await call.ReadAsync());
        }

        await using ClientCall late = client.Open("raises_late");
        await late.WriteAsync(Utf8.Of("too late"));
        await late.CompleteAsync();
        Assert.Equal("first", Encoding.UTF8.GetString((await late.ReadAsync())!.Value.Span));
        CocaineException failure = await Assert.ThrowsAsync<CocaineException>(async () => await late.ReadAsync());
        Assert.Equal(502, failure.Code);
        Assert.Contains("too late", failure.Message);
    }

    public static async Task CancelIsSeenAsync(AppManifest manifest)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(manifest);
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        await using (ClientCall call = client.Open("waits"))
        {
            await call.WriteAsync(Utf8.Of("part"));
            Assert.Equal("waiting", Encoding.UTF8.GetString((await call.ReadAsync())!.Value.Span));
        }

        await node.UntilLogShowsAsync("waits was cancelled");
        Assert.Equal("on", await TextAsync(client, "echo", "on"));
        await app.UntilInfoShowsAsync("\"running\":0");
    }

    public static async Task LargeMessagesAsync(AppManifest manifest)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(manifest);
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        byte[] large = new byte[20 << 20];
        new Random(7).NextBytes(large);
        Assert.Equal(large, await client.CallAsync("echo", large));
        Task<byte[]>[] calls = [.. Enumerable.Range(1, 8).Select(i => client.CallAsync("echo", large.AsMemory(0, i << 17)))];
        foreach ((byte[] answer, int i) in (await Task.WhenAll(calls)).Select((answer, index) => (answer, index + 1)))
        {
            Assert.Equal(large[..(i << 17)], answer);
        }
    }

    public static async Task KnowsItsCallAsync(AppManifest manifest)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(manifest);
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string[] words = (await TextAsync(client, "whoami", "")).Split(' ');
        Assert.Equal((manifest.Name, "whoami", 4), (words[0], words[2], words.Length));
        byte[] headers = await client.CallAsync("headers", default, new CallOptions { TraceId = 0x0102, SpanId = 3 });
        Assert.StartsWith("trace_id=0201000000000000\nspan_id=0300000000000000\nparent_id=", Encoding.UTF8.GetString(headers));
        Assert.Equal("printed", await TextAsync(client, "prints", "a line of output"));
        await node.UntilLogShowsAsync("Information contract", "a line of output");
        await node.UntilLogShowsAsync("Warning contract", "a line of output");
    }

    public static async Task FailedStartAsync(AppManifest manifest, string expected)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(manifest, waitReady: false);
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        CocaineException failure = await Assert.ThrowsAsync<CocaineException>(() => TextAsync(client, "event", ""));
        Assert.Equal(500, failure.Code);
        Assert.DoesNotContain(expected, failure.Message); // a caller may be anybody; the log and the control socket have it
        await node.LogLines.UntilAsync(expected).WaitAsync(TimeSpan.FromSeconds(60));
        await Assert.ThrowsAsync<NodeException>(() => app.Ready.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    public static async Task<string> TextAsync(CocaineClient client, string name, string request) =>
        Encoding.UTF8.GetString(await client.CallAsync(name, Utf8.Of(request)));

    private static async Task FailsAsync(CocaineClient client, string name, string request, int category, int code, string text)
    {
        CocaineException failure = await Assert.ThrowsAsync<CocaineException>(() => TextAsync(client, name, request));
        Assert.Equal((category, code), (failure.Category, failure.Code));
        Assert.Contains(text, failure.Message);
    }

    private static async Task UntilLogShowsAsync(this TestNode node, params string[] texts)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
        while (!node.Log.Split('\n').Any(line => texts.All(text => line.Contains(text, StringComparison.Ordinal))))
        {
            await Task.Delay(5, limit.Token);
        }
    }
}
