using System.Text;
using System.Threading.Channels;
using Cocaine.Fast.Cluster.Engine;
using Cocaine.Fast.Cluster.Records;

namespace Cocaine.Fast.Cluster.Tests.Engine;

/// <summary>Sessions with a real nats-server: it is killed, comes back, comes back empty.</summary>
[Collection(nameof(Alone))] // an answer has its second, which the simulations beside it would take
public class NatsSessionTests
{
    private const string Bucket = "cf_apps";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);
    private static readonly byte[] One = "one"u8.ToArray(), Other = "other"u8.ToArray();

    [NeedsFact("nats-server", "nats-server")]
    public async Task Of_two_writers_one_is_overtaken()
    {
        using NatsServer server = await NatsServer.StartNewAsync();
        EngineAccess access = new(server.Url);
        await using NatsSession a = await NatsSession.OpenAsync(access, "a", Bucket), b = await NatsSession.OpenAsync(access, "b", Bucket);
        Assert.Equal(new EngineEntry("hello", null, 0), await a.ReadAsync(Bucket, "hello"));
        (WriteOutcome created, ulong revision) = await a.WriteAsync(Bucket, "hello", One, 0);
        Assert.Equal(WriteOutcome.Written, created);
        Assert.Equal(WriteOutcome.Overtaken, (await b.WriteAsync(Bucket, "hello", Other, 0)).Outcome);
        EngineEntry read = await b.ReadAsync(Bucket, "hello");
        Assert.Equal(("one", revision), (Encoding.UTF8.GetString(read.Value!), read.Revision));
        Assert.Equal(WriteOutcome.Written, (await b.WriteAsync(Bucket, "hello", Other, read.Revision)).Outcome);
        Assert.Equal(WriteOutcome.Overtaken, (await a.WriteAsync(Bucket, "hello", One, revision)).Outcome);
        await Assert.ThrowsAsync<ArgumentException>(() => a.WriteAsync(Bucket, "hello", new byte[EngineBounds.LongestValue + 1], 0));
        Assert.Equal(WriteOutcome.Written, (await a.WriteAsync(Bucket, ".dots.", new byte[EngineBounds.LongestValue], 0)).Outcome);
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task A_watch_tells_all_that_is_there_and_then_each_change()
    {
        using NatsServer server = await NatsServer.StartNewAsync();
        await using NatsSession session = await NatsSession.OpenAsync(new EngineAccess(server.Url), "a", Bucket, "cf_empty");
        await session.WriteAsync(Bucket, ".first.", One, 0);
        await session.WriteAsync(Bucket, "second", One, 0);
        Channel<string> seen = Channel.CreateUnbounded<string>();
        TaskCompletionSource empty = new();
        Task watch = session.WatchAsync(Bucket, entry => seen.Writer.TryWrite(entry.Key), () => seen.Writer.TryWrite("whole"));
        Task other = session.WatchAsync("cf_empty", _ => { }, empty.SetResult);
        await empty.Task.WaitAsync(Soon);
        Assert.Equal([".first.", "second", "whole"], await TakeAsync(seen, 3));
        await session.WriteAsync(Bucket, "third", One, 0);
        Assert.Equal(["third"], await TakeAsync(seen, 1));
        await session.DisposeAsync();
        await session.DisposeAsync(); // twice is once
        await Task.WhenAll(watch, other).WaitAsync(Soon);
        Assert.Equal(WriteOutcome.Unanswered, (await session.WriteAsync(Bucket, "fourth", One, 0)).Outcome);
    }

    /// <summary>A session ends with its engine; the engine keeps acknowledged writes over a SIGKILL, and a wiped disk loses them.</summary>
    [NeedsFact("nats-server", "nats-server")]
    public async Task A_killed_engine_ends_the_session_and_a_wiped_one_gets_its_record_back()
    {
        using NatsServer server = await NatsServer.StartNewAsync();
        AppRecord record = new() { App = "hello", Generation = 3, Change = "x", By = "a", Manifest = "{}" };
        await using (NatsSession first = await NatsSession.OpenAsync(new EngineAccess(server.Url), "a", Bucket))
        {
            Task watch = first.WatchAsync(Bucket, _ => { }, () => { });
            await first.WriteAsync(Bucket, "hello", RecordText.Write(record), 0);
            server.Kill();
            Assert.Matches("connection to the cluster's engine was lost|a watch of the cluster's engine", await first.Ended.WaitAsync(Soon));
            await watch.WaitAsync(Soon);
            Assert.Equal(WriteOutcome.Unanswered, (await first.WriteAsync(Bucket, "hello", One, 1)).Outcome);
            EngineException gone = await Assert.ThrowsAsync<EngineException>(() => NatsSession.OpenAsync(new EngineAccess(server.Url), "a", Bucket));
            Assert.StartsWith($"the cluster's engine at {server.Url} cannot be used: ", gone.Message);
        }

        await server.StartAsync();
        await using (NatsSession second = await NatsSession.OpenAsync(new EngineAccess(server.Url), "a", Bucket))
        {
            Assert.Equal(record, RecordText.Read((await second.ReadAsync(Bucket, "hello")).Value));
        }

        server.Kill();
        server.Wipe();
        await server.StartAsync();
        await using NatsSession third = await NatsSession.OpenAsync(new EngineAccess(server.Url), "a", Bucket);
        EngineEntry lost = await third.ReadAsync(Bucket, "hello");
        Assert.Null(lost.Value);
        Assert.Equal(MergeStep.PutBack, RecordMerge.Decide(null, record, TimeSpan.Zero, TimeSpan.Zero));
        Assert.Equal(WriteOutcome.Written, (await third.WriteAsync(Bucket, "hello", RecordText.Write(record), lost.Revision)).Outcome);
    }

    [Fact]
    public void Records_are_text_that_people_read_and_broken_ones_are_none()
    {
        AppRecord record = new()
        {
            App = "hello",
            Generation = 3,
            Step = 2,
            Change = "x",
            Follows = "w",
            By = "a",
            Version = 2,
            Manifest = "{}",
            IsPaused = true,
            Rollout = new RolloutPlan(1, 2, ["n1"], [], RolloutStage.RolledBack),
            Signature = "kept",
        };
        string text = Encoding.UTF8.GetString(RecordText.Write(record));
        Assert.Contains("\"generation\":3,\"step\":2,\"change\":\"x\"", text);
        Assert.Contains("\"stage\":\"rolled-back\"", text);
        Assert.Equal(text, Encoding.UTF8.GetString(RecordText.Write(RecordText.Read(Encoding.UTF8.GetBytes(text))!)));
        string[] broken =
        [
            "", "null", "[]", "{}", "{\"app\":\"hello\"}", text[..^1], text.Replace(":3,", ":-3,"), text.Replace(":3,", ":99999999999999999999,"),
            text.Replace("rolled-back", "?"),
        ];
        Assert.All(broken, one => Assert.Null(RecordText.Read(Encoding.UTF8.GetBytes(one))));
    }

    private static async Task<string[]> TakeAsync(Channel<string> channel, int count)
    {
        string[] taken = new string[count];
        for (int i = 0; i < count; i++)
        {
            taken[i] = await channel.Reader.ReadAsync().AsTask().WaitAsync(Soon);
        }

        return taken;
    }
}
