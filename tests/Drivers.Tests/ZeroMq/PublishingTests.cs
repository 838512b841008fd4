using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Tools.Watch;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq;

/// <summary>The pubsub socket, as a SUB socket of libzmq and the node's own watcher hear it.</summary>
public sealed class PublishingTests
{
    private const string Echo = """{ "echo": { "type": "zeromq-sink", "endpoint": "tcp://lo:0" }, "fail": { "type": "zeromq-sink", "endpoint": "tcp://lo:0" } }""";

    [Fact]
    public async Task Fields_have_the_text_forms_of_2012()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(Echo, pubsub: true));
        Assert.StartsWith("tcp://127.0.0.1:", app.PubsubEndpoints[0], StringComparison.Ordinal);
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("sub", "SUB", app.PubsubEndpoints[0], [""]);
        await peer.OpenAsync("push", "PUSH", app.EndpointOf("echo"));
        await peer.OpenAsync("fail", "PUSH", app.EndpointOf("fail"));
        Assert.NotNull(await peer.ReceiveAsync("sub"));
        await peer.SendTextAsync("push", """
            {"yes": true, "no": false, "int": -42, "real": 1.50, "text": "hé \"x\"", "none": null, "list": [1, "a", {"b": [ ]}], "map": {"k": "v"}, "two words\n": 1}
            """);
        await AssertFieldsAsync("yes=true", "no=false", "int=-42", "real=1.50", "text=hé \"x\"", "none=null", """list=[1,"a",{"b":[]}]""",
            """map={"k":"v"}""", "two_words_=1");

        // The same in MessagePack: {yes: true, int: -42, big: 2^64-1, real: 1.5, text, raw bytes, none, list, map, 7: 8}
        await peer.SendAsync("push", [
            0x8a, .. Text("yes"), 0xc3, .. Text("int"), 0xd0, 0xd6, .. Text("big"), 0xcf, .. Enumerable.Repeat((byte)0xff, 8),
            .. Text("real"), 0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, .. Text("text"), .. Text("hé"), .. Text("raw"), 0xc4, 2, (byte)'r', (byte)'w',
            .. Text("none"), 0xc0, .. Text("list"), 0x93, 1, 0xc2, 0x81, .. Text("x"), 0xff, .. Text("map"), 0x81, 1, 0xc4, 1, 0xff, 7, 8]);
        await AssertFieldsAsync("yes=true", "int=-42", "big=18446744073709551615", "real=1.5", "text=hé", "raw=rw", "none=null",
            """list=[1,false,{"x":-1}]""", """map={"1":"/w=="}""", "7=8");
        foreach (string other in (string[])["plain text", "[1]", "{\"cut\": ", "{} {}", "\u0001"])
        {
            await peer.SendTextAsync("push", other);
            await AssertFieldsAsync("error=" + other);
        }

        await peer.SendAsync("push", [0x82, .. Text("cut"), 1]);
        await AssertFieldsAsync("error=" + Encoding.UTF8.GetString([0x82, .. Text("cut"), 1]));
        await peer.SendTextAsync("fail", "bad luck");
        string[] error = await NextAsync();
        Assert.StartsWith("fields:fail error ", error[0], StringComparison.Ordinal);
        Assert.Contains("bad luck", JsonSerializer.Deserialize<JsonElement>(error[1]).GetProperty("message").GetString());

        byte[] Text(string text) => [(byte)(0xa0 | Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

        async Task AssertFieldsAsync(params string[] expected)
        {
            List<string> got = [];
            for (int i = 0; i < expected.Length; i++)
            {
                string[] field = await NextAsync();
                string[] topic = field[0].Split(' ');
                Assert.Equal((4, "fields:echo", Dns.GetHostName()), (topic.Length, topic[0], topic[2]));
                Assert.Matches(@"^\d{10}\.\d{3}$", topic[3]);
                double age = (DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0) - double.Parse(topic[3], CultureInfo.InvariantCulture);
                Assert.InRange(age, -1, 60);
                got.Add($"{topic[1]}={field[1]}");
            }

            Assert.Equal(expected, got);
        }

        async Task<string[]> NextAsync()
        {
            string[] field;
            do
            {
                field = await peer.ReceiveTextAsync("sub");
            }
            while (field[0].StartsWith("fields ", StringComparison.Ordinal) || field[0].Contains(" time-", StringComparison.Ordinal));

            return field;
        }
    }

    [Fact]
    public async Task The_engine_publishes_itself_once_a_second()
    {
        string gate = Path.Combine(Path.GetTempPath(), $"gate-{Guid.NewGuid():N}");
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""{ "slow": { "type": "zeromq-sink", "endpoint": "tcp://lo:0" } }""",
            """{"queue-limit":10,"pool-limit":1,"concurrency":1}""", pubsub: true, env: $$"""{ "GATE": "{{gate}}" }"""));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("push", "PUSH", app.EndpointOf("slow"));
        for (int i = 0; i < 4; i++)
        {
            await peer.SendTextAsync("push", "job");
        }

        await app.UntilAsync(3, "queue", "depth");
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        Dictionary<string, PublishedField> seen = [];
        List<DateTimeOffset> ticks = [];
        await foreach (PublishedField field in FieldWatcher.WatchAsync(app.PubsubEndpoints[0], "fields", limit.Token))
        {
            seen[$"{field.Source} {field.Name}"] = field;
            if (field.Name == "queue-depth")
            {
                ticks.Add(field.Time);
            }

            if (ticks.Count == 3)
            {
                break;
            }
        }

        Assert.Equal(
            ["fields jobs-done", "fields jobs-failed", "fields oldest-job-age", "fields queue-depth", "fields slaves-busy", "fields slaves-total",
                "fields:slow time-in-queue", "fields:slow time-on-slave"], seen.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(("3", "1", "1", "0"), (seen["fields queue-depth"].Text, seen["fields slaves-busy"].Text, seen["fields slaves-total"].Text,
            seen["fields jobs-done"].Text));
        Assert.InRange(double.Parse(seen["fields oldest-job-age"].Text, CultureInfo.InvariantCulture), 0.5, 60);
        Assert.InRange((ticks[2] - ticks[0]).TotalSeconds, 1.5, 30); // two seconds, but for a machine that is busy

        // What is measured comes with the first job that ends.
        File.WriteAllText(gate, "");
        await foreach (PublishedField field in FieldWatcher.WatchAsync(app.PubsubEndpoints[0], "fields:slow time-on-slave", limit.Token))
        {
            JsonElement times = JsonSerializer.Deserialize<JsonElement>(field.Text);
            if (times.GetProperty("count").GetInt32() == 4)
            {
                double[] seconds = [.. ((string[])["p50", "p99", "p999", "max"]).Select(name => times.GetProperty(name).GetDouble())];
                Assert.Equal(seconds.Order(), seconds);
                Assert.InRange(seconds[3], 0.5, 60);
                break;
            }
        }

        File.Delete(gate);
    }

    [Fact]
    public async Task A_port_that_is_taken_fails_the_start_and_a_stop_gives_it_back()
    {
        await using TestNode node = TestNode.Start();
        RunningApp first = await node.AddAsync(ZeroMqApps.Fields(Echo, pubsub: true));
        NodeException failure = await Assert.ThrowsAsync<NodeException>(() =>
            node.AddAsync(ZeroMqApps.Fields(Echo, name: "second") with { PubsubEndpoint = first.PubsubEndpoints[0] }));
        Assert.Equal($"app second: pubsub: cannot listen on {first.PubsubEndpoints[0]}: Address already in use", failure.Message);
        await node.DisposeAsync();
        await using TestNode next = TestNode.Start();
        RunningApp again = await next.AddAsync(ZeroMqApps.Fields(Echo, name: "second") with { PubsubEndpoint = first.PubsubEndpoints[0] });
        Assert.Equal(first.PubsubEndpoints[0], again.PubsubEndpoints[0]);
        await Assert.ThrowsAsync<NodeException>(async () =>
        {
            await foreach (PublishedField field in FieldWatcher.WatchAsync("tcp://127.0.0.1:1"))
            {
            }
        });
    }
}
