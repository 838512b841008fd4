using System.Text;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Records;
using Cocaine.Fast.Tools.Watch;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq;

/// <summary>An error says which job it is of, and a full queue when to come again, on every protocol that has room for it.</summary>
public sealed class JobIdTests : IDisposable
{
    private const string OneAtATime = """{"queue-limit":1,"pool-limit":1,"concurrency":1}""";
    private readonly string _gate = Path.Combine(Path.GetTempPath(), $"gate-{Guid.NewGuid():N}");

    public void Dispose() => File.Delete(_gate);

    [Fact]
    public async Task A_job_that_fails_has_its_id_in_each_framing_and_it_is_that_of_the_records()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "json": { "type": "zeromq-server", "endpoint": "tcp://lo:0" },
              "fail": { "type": "server+lsd", "endpoint": "tcp://lo:0" },
              "old":  { "type": "native-server", "transport": "zeromq", "endpoint": "tcp://lo:0", "events": "fail" } }
            """));
        using ZeroMqPeer peer = new();
        string uuid = Guid.NewGuid().ToString();
        await peer.OpenAsync("lsd", "DEALER", app.EndpointOf("fail"));
        await peer.OpenAsync("old", "DEALER", app.EndpointOf("old"));
        await peer.OpenAsync("json", "DEALER", app.EndpointOf("json"));
        await peer.SendTextAsync("lsd", "", $$"""{"uuid":"{{uuid}}"}""", "one");
        Assert.Equal(
            $$"""{"uuid":"{{uuid}}","code":502,"message":"ValueError: one","job":1}""", (await peer.ReceiveTextAsync("lsd"))[1]);
        await peer.SendAsync("old", [[], .. ZeroMqApps.Group(uuid, "two")]);
        Assert.Equal(Old(uuid, 502, "ValueError: two (job 2)"), (await peer.ReceiveAsync("old"))![2]);

        // Two jobs in one message have an id each.
        await peer.SendTextAsync("json", "", "three", "four"); // a method that the app has not
        JsonElement[] errors = [.. (await peer.ReceiveTextAsync("json"))[1..].Select(Parse)];
        Assert.Equal([3UL, 4UL], errors.Select(error => error.GetProperty("job").GetUInt64()));
        Assert.All(errors, error => Assert.False(error.TryGetProperty("retry-after", out _)));
        IReadOnlyList<LedgerEntry> records = JobRecords.Read(node.LedgerDirectory, "fields").Single().Entries;
        Assert.Equal([(1UL, "fail"), (2UL, "fail"), (3UL, "json"), (4UL, "json")], records.Select(job => (job.Id, job.Event)));
        Assert.All(records, job => Assert.Equal(JobOutcome.Failed, job.Outcome));
    }

    [Fact]
    public async Task A_text_that_an_app_gives_with_a_code_of_its_own_stays_as_it_is()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "refuses": { "type": "server+lsd", "endpoint": "tcp://lo:0" },
              "old":     { "type": "native-server", "transport": "zeromq", "endpoint": "tcp://lo:0", "events": "refuses" } }
            """));
        using ZeroMqPeer peer = new();
        string uuid = Guid.NewGuid().ToString();
        await peer.OpenAsync("lsd", "DEALER", app.EndpointOf("refuses"));
        await peer.OpenAsync("old", "DEALER", app.EndpointOf("old"));
        await peer.SendAsync("old", [[], .. ZeroMqApps.Group(uuid, "left=3")]);
        Assert.Equal([0x94, 2, .. ZeroMqApps.OldString(uuid), 77, .. ZeroMqApps.OldString("left=3")], (await peer.ReceiveAsync("old"))![2]);
        await peer.SendTextAsync("lsd", "", $$"""{"uuid":"{{uuid}}"}""", "left=3");
        Assert.Equal($$"""{"uuid":"{{uuid}}","code":77,"message":"left=3","job":2}""", (await peer.ReceiveTextAsync("lsd"))[1]);
    }

    [Fact]
    public async Task A_full_queue_says_when_to_come_again()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "held": { "type": "zeromq-server", "endpoint": "tcp://lo:0" },
              "echo": { "type": "server+lsd", "endpoint": "tcp://lo:0" },
              "old":  { "type": "native-server", "transport": "zeromq", "endpoint": "tcp://lo:0", "events": "echo" },
              "raw":  { "type": "raw-server", "endpoint": "tcp://127.0.0.1:0", "framing": "line" } }
            """, OneAtATime));
        using ZeroMqPeer peer = new();
        string uuid = Guid.NewGuid().ToString();
        await peer.OpenAsync("json", "DEALER", app.EndpointOf("held"));
        await peer.OpenAsync("lsd", "DEALER", app.EndpointOf("echo"));
        await peer.OpenAsync("old", "DEALER", app.EndpointOf("old"));
        await peer.SendTextAsync("json", "", _gate);
        await peer.SendTextAsync("json", "", _gate);
        await app.UntilInfoShowsAsync("\"queued\":1,\"running\":1");

        await peer.SendTextAsync("json", "", _gate);
        AssertFull(Parse((await peer.ReceiveTextAsync("json"))[1]), 3);
        await peer.SendTextAsync("lsd", "", $$"""{"uuid":"{{uuid}}"}""", "x");
        AssertFull(Parse((await peer.ReceiveTextAsync("lsd"))[1]), 4);
        await peer.SendAsync("old", [[], .. ZeroMqApps.Group(uuid, "x")]);
        string old = Encoding.UTF8.GetString((await peer.ReceiveAsync("old"))![2]);
        Assert.Matches(@"the queue is full: 1 jobs wait \(job 5; retry after [0-9]+ s\)$", old);
        using RawPeer raw = RawPeer.Connect(app, app.Endpoints.ToList().FindIndex(at => at.Task == "raw"));
        raw.Send("x\n");
        Assert.Matches(@"^error 503 the queue is full: 1 jobs wait \(job 6; retry after [0-9]+ s\)$", raw.ReadLine());

        // What never was a job has neither.
        await peer.SendTextAsync("lsd", "", """{"uuid":"a","timeout":[]}""", "x");
        JsonElement malformed = Parse((await peer.ReceiveTextAsync("lsd"))[1]);
        Assert.Equal(["uuid", "code", "message"], malformed.EnumerateObject().Select(property => property.Name));
        File.WriteAllText(_gate, "");
        Assert.Equal(["", "held"], await peer.ReceiveTextAsync("json"));
        Assert.Equal(["", "held"], await peer.ReceiveTextAsync("json"));
    }

    [Fact]
    public async Task Published_errors_have_the_id_and_the_hint()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "fail": { "type": "zeromq-sink", "endpoint": "tcp://lo:0" },
              "held": { "type": "native-sink", "endpoint": "tcp://127.0.0.1:0" },
              "tick": { "type": "recurring-timer", "interval": 100 } }
            """, OneAtATime, pubsub: true));
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        await using CocaineClient client = await CocaineClient.ConnectAsync(app.EndpointOf("held"));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("push", "PUSH", app.EndpointOf("fail"));
        await using IAsyncEnumerator<PublishedField> fields =
            FieldWatcher.WatchAsync(app.PubsubEndpoints[0], "fields:", limit.Token).GetAsyncEnumerator(limit.Token);

        // The subscription is there when the first tick is seen to fail: the app has no such method.
        JsonElement tick = await NextErrorAsync(fields, "fields:tick", error => error.GetProperty("code").GetInt32() != 503);
        Assert.True(tick.GetProperty("job").GetUInt64() > 0);
        await peer.SendTextAsync("push", "bad luck");
        JsonElement failed = await NextErrorAsync(fields, "fields:fail", _ => true);
        Assert.Equal((502, "ValueError: bad luck"), (failed.GetProperty("code").GetInt32(), failed.GetProperty("message").GetString()));
        Assert.False(failed.TryGetProperty("retry-after", out _));
        ulong id = failed.GetProperty("job").GetUInt64();
        JobRecords records = JobRecords.Read(node.LedgerDirectory, "fields").Single();
        Assert.Equal("fail", records.Entries.Single(job => job.Id == id).Event);

        // A slave that is held, and a queue that one tick fills: the next ones are refused.
        await AcceptAsync(client, _gate);
        JsonElement refused = await NextErrorAsync(fields, "fields:tick", error => error.GetProperty("code").GetInt32() == 503);
        Assert.InRange(refused.GetProperty("retry-after").GetInt32(), 1, 60);
        Assert.True(refused.GetProperty("job").GetUInt64() > id);
        File.WriteAllText(_gate, "");
    }

    /// <summary>The queue may be full of ticks: the sink is asked until it takes the job.</summary>
    private static async Task AcceptAsync(CocaineClient client, string gate)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30));
        while (true)
        {
            try
            {
                await client.CallAsync("held", Encoding.UTF8.GetBytes(gate), cancellation: limit.Token);
                return;
            }
            catch (CocaineException full) when (full.Code == 503)
            {
                limit.Token.ThrowIfCancellationRequested();
            }
        }
    }

    private static async Task<JsonElement> NextErrorAsync(
        IAsyncEnumerator<PublishedField> fields, string source, Predicate<JsonElement> isMeant)
    {
        while (await fields.MoveNextAsync())
        {
            if (fields.Current is { Name: "error" } field && field.Source == source && Parse(field.Text) is var error && isMeant(error))
            {
                return error;
            }
        }

        throw new EndOfStreamException("the publisher went away");
    }

    private static JsonElement Parse(string json) => JsonSerializer.Deserialize<JsonElement>(json);

    private static void AssertFull(JsonElement error, ulong id)
    {
        Assert.Equal((503, "the queue is full: 1 jobs wait"), (error.GetProperty("code").GetInt32(), error.GetProperty("message").GetString()));
        Assert.Equal(id, error.GetProperty("job").GetUInt64());
        Assert.InRange(error.GetProperty("retry-after").GetInt32(), 1, 60);
    }

    /// <summary>An error frame of 2012, with its four elements.</summary>
    private static byte[] Old(string uuid, int code, string text) =>
        [0x94, 2, .. ZeroMqApps.OldString(uuid), 0xcd, (byte)(code >> 8), (byte)code, .. ZeroMqApps.OldString(text)];
}
