using System.Text;
using System.Text.Json;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq;

/// <summary>native-server over ZeroMQ and server+lsd: the framings of 2012, byte by byte.</summary>
public sealed class NativeFramingTests
{
    private const string Native = """{ "echo": { "type": "native-server", "transport": "zeromq", "endpoint": "tcp://lo:0" } }""";
    private static readonly byte[] Empty = [];

    [Fact]
    public async Task Chunks_end_and_errors_are_messages_of_their_own()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "old":  { "type": "native-server", "transport": "zeromq", "endpoint": "tcp://lo:0", "events": "many" },
              "fail": { "type": "native-server", "transport": "zeromq", "endpoint": "tcp://lo:0", "events": "*" } }
            """));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("old", "DEALER", app.EndpointOf("old"));
        await peer.OpenAsync("fail", "DEALER", app.EndpointOf("fail"));
        string first = Uuid(), second = Uuid();
        await peer.SendAsync("old", [[1, 2], Empty, .. ZeroMqApps.Group(first, "2"), .. ZeroMqApps.Group(second, "0", timeout: 5, urgent: true)]);
        Dictionary<string, List<string>> answers = [];
        while (answers.Values.Count(answer => answer[^1] == "end") < 2)
        {
            byte[][] answer = (await peer.ReceiveAsync("old"))!;
            Assert.Equal([[1, 2], [], [1]], answer[..3]);
            string uuid = Encoding.ASCII.GetString(answer[3].AsSpan(5, 36));
            bool isLast = answer.Length == 4;
            Assert.Equal(ZeroMqApps.Head(uuid, isLast), answer[3]);
            if (!answers.TryGetValue(uuid, out List<string>? parts))
            {
                answers.Add(uuid, parts = []);
            }

            parts.Add(isLast ? "end" : Encoding.UTF8.GetString(answer[4]));
        }

        Assert.Equal(["1", "2", "end"], answers[first]);
        Assert.Equal(["end"], answers[second]);
        await peer.SendAsync("fail", [Empty, .. ZeroMqApps.Group(first, "bad luck")]);
        (int code, string text) = Error(await peer.ReceiveAsync("fail"), first);
        Assert.Contains("bad luck", text);
        Assert.InRange(code, 1, 999);
    }

    [Fact]
    public async Task Both_byte_families_and_every_number_are_understood()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(Native));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("dealer", "DEALER", app.EndpointOf("echo"));
        string uuid = Uuid();
        byte[] text = Encoding.ASCII.GetBytes(uuid);
        byte[][] heads = [
            [0x93, 0xcc, 1, 0xd9, 36, .. text, 0xc2], [0x93, 0xcf, 0, 0, 0, 0, 0, 0, 0, 1, 0xc4, 36, .. text, 0xc2], [0xdc, 0, 3, 1, 0xdb, 0, 0, 0, 36, .. text, 0xc3]];
        byte[][] policies = [[0x93, 0xc2, 0, 0], [0x93, 0xc3, 0xca, 0x40, 0, 0, 0, 0xc2 - 0xc2], [0x93, 0xc2, 0xcd, 0, 30, 0xce, 0xff, 0xff, 0xff, 0xff]];
        for (int i = 0; i < heads.Length; i++)
        {
            await peer.SendAsync("dealer", Empty, [1], heads[i], policies[i], [(byte)'a', (byte)i]);
            Assert.Equal([(byte)'a', (byte)i], (await peer.ReceiveAsync("dealer"))![3]);
            Assert.Equal(ZeroMqApps.Head(uuid, true), (await peer.ReceiveAsync("dealer"))![2]);
        }
    }

    [Fact]
    public async Task Bad_groups_get_400_and_never_shift_the_next()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(Native));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("dealer", "DEALER", app.EndpointOf("echo"));
        string bad = Uuid(), good = Uuid();
        byte[][] whole = ZeroMqApps.Group(bad, "x");
        (byte[][] Frames, string Uuid)[] cases =
        [
            (ZeroMqApps.Group("short", "x"), "short"),
            (ZeroMqApps.Group(bad + "x", "x"), bad + "x"),
            ([[2], .. whole[1..]], bad),
            ([whole[0], [0xc1], .. whole[2..]], ""),
            ([whole[0], [0x93, 1, 0xdb, 0xff, 0xff, 0xff, 0xff], .. whole[2..]], ""),
            ([.. whole[..2], [0x90], whole[3]], bad),
            (ZeroMqApps.Group(bad, "x", timeout: double.NaN), bad),
            (ZeroMqApps.Group(bad, "x", deadline: -1), bad),
            (whole[..3], bad),                       // without its body
            ([whole[0], whole[1], whole[3]], bad),   // without its policy
            (whole[..2], bad),
            ([Empty], ""),
            ([[0xff], [0xfe], [0xfd]], ""),
        ];
        foreach ((byte[][] frames, string uuid) in cases)
        {
            await peer.SendAsync("dealer", [Empty, .. frames, .. ZeroMqApps.Group(good, "after it")]);
            Assert.Equal(400, Error(await peer.ReceiveAsync("dealer"), uuid).Code);
            byte[][] chunk = (await peer.ReceiveAsync("dealer"))!;
            Assert.Equal([[], [1], ZeroMqApps.Head(good, false), "after it"u8.ToArray()], chunk);
            Assert.Equal(ZeroMqApps.Head(good, true), (await peer.ReceiveAsync("dealer"))![2]);
        }

        // Also at the end, after a good one; and a body that is the number 1 is a body.
        byte[][] one = ZeroMqApps.Group(good, "");
        one[3] = [1];
        await peer.SendAsync("dealer", [Empty, .. one, .. one, whole[0], whole[1]]);
        HashSet<string> kinds = [];
        for (int i = 0; i < 5; i++)
        {
            byte[][] answer = (await peer.ReceiveAsync("dealer"))!;
            kinds.Add(answer[1][0] == 2 ? $"error {Error(answer, bad).Code}" : answer.Length == 4 ? $"chunk {answer[3][0]}" : "end");
        }

        Assert.Equal(["chunk 1", "end", "error 400"], kinds.Order());
        Assert.Null(await peer.ReceiveAsync("dealer", 50));
        await peer.SendAsync("dealer", Encoding.ASCII.GetBytes("no empty frame"));
        Assert.Equal(400, Error(await peer.ReceiveAsync("dealer"), "").Code);
        Assert.Contains("a message that is not in this driver's framing was refused", node.Log);
    }

    [Fact]
    public async Task A_deadline_is_an_absolute_time()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "held": { "type": "native-server", "transport": "zeromq", "endpoint": "tcp://lo:0" } }
            """, """{"queue-limit":10,"pool-limit":1,"concurrency":1,"termination-timeout":60}"""));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("dealer", "DEALER", app.EndpointOf("held"));
        string uuid = Uuid(), gate = Path.Combine(Path.GetTempPath(), $"gate-{Guid.NewGuid():N}");
        double now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;
        await peer.SendAsync("dealer", [Empty, .. ZeroMqApps.Group(uuid, gate, deadline: now - 1)]);
        (int code, string text) = Error(await peer.ReceiveAsync("dealer"), uuid);
        Assert.Equal((520, "the deadline passed before the job arrived"), (code, text));
        await peer.SendAsync("dealer", [Empty, .. ZeroMqApps.Group(uuid, gate, deadline: now + 1)]);
        (code, text) = Error(await peer.ReceiveAsync("dealer"), uuid);
        Assert.Equal(520, code);
        Assert.Contains("passed while the job was running", text);
        Assert.True(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0 >= now + 0.999);
        Assert.Equal(2, await app.NumberAsync("jobs", "timeouts", "deadline"));
        File.WriteAllText(gate, ""); // lets the worker end
        await app.UntilInfoShowsAsync("\"busy\":0");
        File.Delete(gate);
    }

    [Fact]
    public async Task A_client_that_does_not_read_costs_no_more_than_its_high_water_mark()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "blobs": { "type": "native-server", "transport": "zeromq", "endpoint": "tcp://lo:0", "backlog": 10 },
              "echo":  { "type": "native-server", "transport": "zeromq", "endpoint": "tcp://lo:0" } }
            """));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("deaf", "DEALER", app.EndpointOf("blobs"), hwm: 10);
        string uuid = Uuid();
        await peer.SendAsync("deaf", [Empty, .. ZeroMqApps.Group(uuid, "20000")]); // 1.25 GiB
        await app.UntilAsync(1, "tasks", "blobs", "dropped");
        await app.UntilAsync(1, "jobs", "failed"); // it is not sent the rest of an answer with a hole

        // Another client is served meanwhile, and the deaf one gets no end that would make its answer look whole.
        await peer.OpenAsync("other", "DEALER", app.EndpointOf("echo"));
        await peer.SendAsync("other", [Empty, .. ZeroMqApps.Group(uuid, "served")]);
        Assert.Equal("served", Encoding.UTF8.GetString((await peer.ReceiveAsync("other"))![3]));
        Dictionary<string, int> lasts = await peer.DrainAsync("deaf", 1000);
        Assert.DoesNotContain(Encoding.UTF8.GetString(ZeroMqApps.Head(uuid, true)), lasts.Keys);
        Assert.InRange(lasts.Values.Sum(), 10, 19_999);
    }

    [Fact]
    public async Task Lsd_has_json_envelopes()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""{ "many": { "type": "server+lsd", "endpoint": "tcp://lo:0" } }"""));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("dealer", "DEALER", app.EndpointOf("many"));
        string uuid = Uuid();
        await peer.SendTextAsync(
            "dealer", "hop", "", $$"""{"uuid": "{{uuid}}", "urgent": true, "timeout": 3.5, "deadline": 0, "more": [1, {"x": 2}]}""", "2");
        Assert.Equal(["hop", "", $$"""{"uuid":"{{uuid}}"}""", "1"], await peer.ReceiveTextAsync("dealer"));
        Assert.Equal(["hop", "", $$"""{"uuid":"{{uuid}}"}""", "2"], await peer.ReceiveTextAsync("dealer"));
        Assert.Equal(["hop", "", $$"""{"uuid":"{{uuid}}","completed":true}"""], await peer.ReceiveTextAsync("dealer"));

        (string Envelope, string? Uuid, int Code)[] cases =
        [
            ("no json", null, 0), ("[]", null, 0), ("""{"uuid": 5}""", null, 0), ("{}", null, 0), ("""{"uuid": "a"} x""", "a", 400),
            ($$"""{"uuid": "{{new string('x', 65)}}"}""", null, 0), ("""{"uuid": null, "timeout": "long"}""", null, 0),
            ("""{"uuid": "a", "timeout": "long"}""", "a", 400), ("""{"uuid": "a", "timeout": -1}""", "a", 400),
            ("""{"uuid": "a", "deadline": 1.5}""", "a", 520), ("""{"uuid": "a", "deadline": true}""", "a", 520),
        ];
        foreach ((string envelope, string? id, int code) in cases)
        {
            // A bad pair is skipped whole: the one after it is served. A dealer cannot read an answer without a uuid, so it gets none.
            await peer.SendTextAsync("dealer", "", envelope, "1", $$"""{"uuid":"{{uuid}}"}""", "0");
            if (id is not null)
            {
                JsonElement error = JsonSerializer.Deserialize<JsonElement>((await peer.ReceiveTextAsync("dealer"))[1]);
                Assert.Equal((code, id), (error.GetProperty("code").GetInt32(), error.GetProperty("uuid").GetString()));
            }

            Assert.Equal($$"""{"uuid":"{{uuid}}","completed":true}""", (await peer.ReceiveTextAsync("dealer"))[1]);
        }

        Assert.Equal(9, await app.NumberAsync("tasks", "many", "malformed"));
        string[] converted = ["\"urgent\":1", "\"urgent\":null", "\"urgent\":\"\"", "\"urgent\":[{}]", "\"deadline\":null", "\"timeout\":true", "\"timeout\":null"];
        foreach (string value in converted)
        {
            await peer.SendTextAsync("dealer", "", $$"""{"uuid":"{{uuid}}",{{value}}}""", "0");
            Assert.Equal(["", $$"""{"uuid":"{{uuid}}","completed":true}"""], await peer.ReceiveTextAsync("dealer"));
        }

        await peer.SendTextAsync("dealer", "", $$"""{"uuid":"{{uuid}}"}""");
        Assert.StartsWith($$"""{"uuid":"{{uuid}}","code":400,""", (await peer.ReceiveTextAsync("dealer"))[1]);
    }

    private static string Uuid() => Guid.NewGuid().ToString();

    /// <summary>Checks an error message to its last byte but for code and text, and gives those.</summary>
    private static (int Code, string Text) Error(byte[][]? answer, string uuid)
    {
        Assert.NotNull(answer);
        Assert.Equal(3, answer.Length);
        Assert.Equal([[], [2]], answer[..2]);
        byte[] begin = [0x94, 2, .. ZeroMqApps.OldString(uuid), 0xcd];
        Assert.Equal(begin, answer[2][..begin.Length]);
        int code = (answer[2][begin.Length] << 8) | answer[2][begin.Length + 1];
        ReadOnlySpan<byte> text = answer[2].AsSpan(begin.Length + 2);
        int head = text[0] < 0xc0 ? 1 : 3;
        Assert.Equal(text.Length - head, head == 1 ? text[0] & 0x1f : (text[1] << 8) | text[2]);
        Assert.True(head == 1 || text[0] == 0xda);
        return (code, Encoding.UTF8.GetString(text[head..]));
    }
}
