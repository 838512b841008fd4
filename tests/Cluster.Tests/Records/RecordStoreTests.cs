using Cocaine.Fast.Cluster.Engine;
using Cocaine.Fast.Cluster.Records;

namespace Cocaine.Fast.Cluster.Tests.Records;

/// <summary>Records on a real disk, and brought together with a real engine.</summary>
[Collection(nameof(Alone))]
public sealed class RecordStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cocaine-records-").FullName;
    private readonly List<SyncNote> _notes = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Records_outlive_the_node_and_what_is_none_is_left_for_people()
    {
        RecordStore store = StoreOf("a");
        store.Keep(RecordOf("hello", 1));
        store.Keep(RecordOf("hello", 2));
        store.Keep(RecordOf("gone", 1) with { IsDeleted = true, Path = "", Manifest = "" });
        store.Keep(RecordOf("forgotten", 1));
        store.Forget("forgotten");
        string apps = Path.Combine(_folder, "a", "apps");
        File.WriteAllText(Path.Combine(apps, "broken.json"), "{}");
        File.Copy(Path.Combine(apps, "hello.json"), Path.Combine(apps, "copy.json"));
        File.WriteAllText(Path.Combine(apps, ".hello.json.x.tmp"), "half");
        List<string> broken = [];
        RecordStore again = new(Path.Combine(_folder, "a"), file => broken.Add(Path.GetFileName(file)));
        Assert.Equal(["broken.json", "copy.json"], broken.Order());
        Assert.Equal(["gone", "hello"], again.All.Select(record => record.App).Order());
        Assert.Equal(2, again.Find("hello")!.Generation);
        Assert.False(File.Exists(Path.Combine(apps, ".hello.json.x.tmp")));
        File.Delete(Path.Combine(apps, "broken.json"));
        File.Delete(Path.Combine(apps, "copy.json"));
        Assert.True(again.SinceStored("hello") < TimeSpan.FromMinutes(1));
        Assert.Equal(TimeSpan.MaxValue, again.SinceSync);
        again.KeepSync();
        Assert.True(StoreOf("a").SinceSync < TimeSpan.FromMinutes(1));
        again.ForgetAll();
        Assert.Empty(StoreOf("a").All);
    }

    [Theory]
    [InlineData("hello", "other", "/a.json", false)]
    [InlineData("../x", "../x", "/a.json", false)]
    [InlineData("", "", "/a.json", false)]
    [InlineData("hello", "hello", "a.json", false)]
    [InlineData("hello", "hello", "/a\0.json", false)]
    [InlineData("hello", "hello", "/a.json", true)]
    public void A_record_that_cannot_be_of_its_name_is_none(string key, string app, string path, bool isGood) =>
        Assert.Equal(isGood, RecordStore.IsGood(key, RecordOf("x", 1) with { App = app, Path = path }));

    [NeedsFact("nats-server", "nats-server")]
    public async Task Both_sides_become_one_and_what_lost_is_kept()
    {
        using NatsServer server = await NatsServer.StartNewAsync();
        RecordStore a = StoreOf("a"), b = StoreOf("b");
        a.KeepSync();
        b.KeepSync();
        await using NatsSession session = await NatsSession.OpenAsync(new EngineAccess(server.Url), "a", RecordSync.AppsBucket);
        RecordSync first = await BeginAsync(session, a), second = await BeginAsync(session, b);
        a.Keep(RecordOf("hello", 3));
        Assert.False(await first.MergeAsync(putsBack: false)); // nothing to take
        Assert.False(await first.MergeAsync(putsBack: true));
        Assert.Equal([new SyncNote("hello", MergeStep.PutBack, null)], _notes);
        await UntilAsync(async () => await second.MergeAsync(putsBack: false));
        Assert.Equal(a.Find("hello"), b.Find("hello"));

        RecordWrite write = await second.ChangeAsync("hello", new RecordChange.Pause(true), "b", 1);
        Assert.Equal(WriteStage.Succeeded, write.Stage);
        Assert.True(b.Find("hello") is { IsPaused: true, Generation: 4, By: "b" }); // at once
        await UntilAsync(async () => await first.MergeAsync(putsBack: false));
        Assert.Equal(b.Find("hello"), a.Find("hello"));

        a.Keep(RecordOf("hello", 4) with { Change = "mine" }); // of the same age: a write that the engine lost
        Assert.True(await first.MergeAsync(putsBack: true));
        SyncNote conflict = _notes[^1];
        Assert.Equal((MergeStep.TakeAndKeepConflict, "mine"), (conflict.Step, RecordText.Read(File.ReadAllBytes(conflict.Kept!))!.Change));
        Assert.Equal(b.Find("hello"), a.Find("hello"));

        Assert.Equal(WriteStage.Succeeded, (await first.ChangeAsync("hello", new RecordChange.Delete(), "a", 1)).Stage);
        await UntilAsync(async () => await second.MergeAsync(putsBack: true));
        Assert.True(b.Find("hello")!.IsDeleted);
        Assert.Equal("no such app in the cluster", (await second.ChangeAsync("hello", new RecordChange.Pause(true), "b", 1)).Reason);
    }

    /// <summary>A machine that was away for long brings no deleted app back.</summary>
    [NeedsFact("nats-server", "nats-server")]
    public async Task A_node_that_was_away_for_weeks_puts_nothing_back()
    {
        using NatsServer server = await NatsServer.StartNewAsync();
        RecordStore a = StoreOf("a");
        a.Keep(RecordOf("hello", 9));
        a.KeepSync();
        File.SetLastWriteTimeUtc(Path.Combine(_folder, "a", "synced"), DateTime.UtcNow - TimeSpan.FromDays(8));
        await using NatsSession session = await NatsSession.OpenAsync(new EngineAccess(server.Url), "a", RecordSync.AppsBucket);
        RecordSync sync = await BeginAsync(session, a);
        Assert.False(await sync.MergeAsync(putsBack: true));
        Assert.False(await sync.MergeAsync(putsBack: true)); // nor later
        Assert.Null((await session.ReadAsync(RecordSync.AppsBucket, "hello")).Value);
        Assert.NotNull(a.Find("hello")); // and the app goes on here
        Assert.Equal([new SyncNote("hello", MergeStep.KeepHere, null)], _notes);
        Assert.True(StoreOf("a").SinceSync > TimeSpan.FromDays(7));
        Assert.Equal(WriteStage.Succeeded, (await sync.ChangeAsync("hello", new RecordChange.Delete(), "a", 1)).Stage); // a person decides
        Assert.False(await sync.MergeAsync(putsBack: true));
        Assert.True(StoreOf("a").SinceSync < TimeSpan.FromMinutes(1));
    }

    private RecordStore StoreOf(string name) => new(Path.Combine(_folder, name), file => Assert.Fail(file));

    private async Task<RecordSync> BeginAsync(NatsSession session, RecordStore store)
    {
        RecordSync sync = new(session, store, _notes.Add);
        TaskCompletionSource whole = new();
        _ = sync.WatchAsync(() => { }, whole.SetResult);
        await whole.Task.WaitAsync(TimeSpan.FromSeconds(20));
        return sync;
    }

    /// <summary>The watch has no end to wait for.</summary>
    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(20));
        while (!await isSo())
        {
            await Task.Delay(5, late.Token);
        }
    }

    private static AppRecord RecordOf(string app, long generation) =>
        new() { App = app, Generation = generation, Change = $"change-{generation}", By = "a", Manifest = "{}", Path = "/a.json" };
}
