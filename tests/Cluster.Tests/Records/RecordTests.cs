using Cocaine.Fast.Cluster.Records;
using Cocaine.Fast.Cluster.Tests.Simulation;

namespace Cocaine.Fast.Cluster.Tests.Records;

/// <summary>Records on disks and in an engine that forgets; changes at the same time.</summary>
public class RecordTests
{
    [Fact]
    public void No_app_ends_unless_it_is_deleted_and_all_copies_become_one() =>
        Schedules.RunAll(seed => new MergeWorld(seed, MergeFault.None).Run());

    [Theory]
    [InlineData(MergeFault.BelievesEngine, "went back from|nobody deleted it")]
    [InlineData(MergeFault.TakesAbsentForDeleted, "nobody deleted it|went back from")]
    [InlineData(MergeFault.IgnoresConflict, "copies differ")]
    [InlineData(MergeFault.WritesBlindly, "is made twice")]
    [InlineData(MergeFault.TellsNobody, "is said to be made, and is nowhere")]
    internal void A_broken_merge_is_seen(MergeFault fault, string expected) =>
        Schedules.MustBeSeen(seed => new MergeWorld(seed, fault).Run(), expected);

    [Fact]
    public void Of_two_who_create_an_app_at_once_one_is_told_by_which_node()
    {
        SimEngine<AppRecord> engine = new();
        RecordWrite first = new(new RecordChange.Create("hello", 1, "{}", null), "x", "a", 0);
        RecordWrite second = new(new RecordChange.Create("hello", 2, "{}", null), "y", "b", 0);
        first.OnRead(null, null);
        second.OnRead(null, null);
        Assert.True(engine.Write(second.Proposed!, 0));
        Assert.False(engine.Write(first.Proposed!, 0));
        first.OnOvertaken();
        first.OnRead(engine.Record, null);
        Assert.Equal(WriteStage.Refused, first.Stage);
        Assert.Equal("app 'hello' is in the cluster already, created or changed at node b; replace changes it", first.Reason);
        Assert.False(first.MayRetry);
    }

    [Theory]
    [InlineData(true, "the cluster's engine does not answer")]
    [InlineData(false, "changed by node b at the same time")]
    public void A_writer_gives_up_after_some_writes_and_says_why(bool isSilent, string reason)
    {
        RecordWrite write = new(new RecordChange.Pause(true), "x", "a", 0);
        AppRecord record = new() { App = "hello", Generation = 7, Change = "other", By = "b" };
        for (int i = 0; i < RecordLimits.MostWrites; i++)
        {
            write.OnRead(record, null);
            Assert.Equal(WriteStage.Write, write.Stage);
            Assert.Equal(8, write.Proposed!.Generation);
            (isSilent ? (Action)write.OnNoAnswer : write.OnOvertaken)();
        }

        write.OnRead(record, null);
        Assert.Equal((WriteStage.Refused, reason, true), (write.Stage, write.Reason, write.MayRetry));
    }

    [Fact]
    public void A_change_that_another_one_followed_at_once_is_found()
    {
        RecordWrite write = new(new RecordChange.Create("hello", 1, "{}", null), "x", "a", 0);
        write.OnRead(null, null);
        write.OnNoAnswer();
        write.OnRead(new AppRecord { App = "hello", Generation = 2, Change = "y", Follows = "x", By = "b" }, null);
        Assert.Equal(WriteStage.Succeeded, write.Stage);
    }

    [Fact]
    public void Versions_must_rise_unless_forced_and_wait_for_a_rollout()
    {
        AppRecord record = new() { App = "hello", Generation = 1, Change = "x", By = "a", Version = 3 };
        Assert.Equal("version 3 is not higher than 3, which was set at node a; --force takes it",
            new RecordChange.Replace(3, "{}", null, IsForced: false).Decide(record).Reason);
        AppRecord next = new RecordChange.Replace(3, "{}", "hash", IsForced: true).Decide(record).Next!;
        Assert.Equal((3, 3, RolloutStage.Rolling, "hash"), (next.Rollout!.From, next.Rollout.To, next.Rollout.Stage, next.Code));
        RecordChange.Decision waits = new RecordChange.Replace(4, "{}", null, IsForced: true).Decide(next);
        Assert.Contains("is being rolled out", waits.Reason);
        Assert.True(waits.MayRetry); // 503
        Assert.Equal("no such app in the cluster", new RecordChange.Replace(4, "{}", null, IsForced: true).Decide(null).Reason);
    }

    [Fact]
    public void A_rollout_keeps_the_manifest_before_until_it_is_taken_back_to_it()
    {
        AppRecord one = new() { App = "hello", Generation = 4, Change = "x", By = "a", Version = 1, Manifest = "one", Path = "/one", Made = 2 };
        AppRecord two = Decided(new RecordChange.Replace(2, "two", "hash", IsForced: false) { Path = "/two" }, one) with { Generation = 5, Change = "y" };
        Assert.Equal((5, one.Release), (two.Made, two.Previous));
        AppRecord moved = Decided(new RolloutChange.Move("y", two.Rollout! with { Go = ["uuid"] }), two);
        Assert.Equal((5, "two"), (moved.For("uuid").Made, moved.For("uuid").Manifest));
        Assert.Equal((2, "one", "/one", null), (moved.For("other").Made, moved.For("other").Manifest, moved.For("other").Path, moved.For("other").Code));
        Assert.Equal("the record was changed meanwhile", new RolloutChange.Move("x", two.Rollout!).Decide(two).Reason);

        AppRecord stopped = Decided(new RolloutChange.Stop("asked"), moved);
        Assert.Equal(RolloutStage.Rolling, Decided(new RolloutChange.GoOn(), stopped).Rollout!.Stage);
        AppRecord three = Decided(new RecordChange.Replace(3, "three", null, IsForced: false), stopped);
        Assert.Equal((1, one.Release), (three.Rollout!.From, three.Previous)); // the stopped one was never on all nodes
        AppRecord back = Decided(new RolloutChange.GoBack("asked"), stopped);
        Assert.Equal((one.Release, null, RolloutStage.RolledBack, "asked"), (back.Release, back.Previous, back.Rollout!.Stage, back.Rollout.Reason));
        Assert.Equal(one.Release, back.For("uuid").Release);
        Assert.NotNull(new RolloutChange.GoBack("asked").Decide(back).Reason);
        Assert.NotNull(new RolloutChange.GoOn().Decide(moved).Reason);
        Assert.NotNull(new RolloutChange.Stop("asked").Decide(back).Reason);
        Assert.Equal(RolloutStage.RolledBack, Decided(new RolloutChange.Move("y", two.Rollout! with { Stage = RolloutStage.RolledBack }), moved).Rollout!.Stage);
        Assert.Equal(moved.Rollout!.Go, RecordText.Read(RecordText.Write(moved))!.Rollout!.Go);
        Assert.Equal(moved.Previous, RecordText.Read(RecordText.Write(moved))!.Previous);
    }

    private static AppRecord Decided(RecordChange change, AppRecord now) => change.Decide(now).Next ?? throw new InvalidOperationException(change.Decide(now).Reason);

    [Fact]
    public void A_writer_finds_its_change_behind_moves_of_the_coordinator()
    {
        AppRecord one = new() { App = "hello", Generation = 4, Change = "x", By = "a", Version = 1, Manifest = "one", Path = "/one" };
        RecordWrite write = new(new RecordChange.Replace(2, "two", null, IsForced: false), "y", "a", 7);
        write.OnRead(one, null);
        AppRecord record = write.Proposed!;
        write.OnNoAnswer();
        for (int i = 0; i < 3; i++)
        {
            RecordWrite move = new(new RolloutChange.Move(record.Change, record.Rollout! with { Go = [$"{i}"] }), $"move {i}", "b", 99);
            move.OnRead(record, null);
            record = move.Proposed!;
        }

        Assert.Equal((5, 3, "a", 7), (record.Generation, record.Step, record.By, record.AtMs));
        write.OnRead(record, null);
        Assert.Equal(WriteStage.Succeeded, write.Stage);
    }

    [Theory]
    [InlineData("\"go\":[]", "\"go\":null")]
    [InlineData("\"previous\"", "\"something\"")]
    [InlineData("\"manifest\":\"one\"", "\"manifest\":null")]
    [InlineData("\"stage\":\"stopped\"", "\"stage\":\"flying\"")]
    public void A_rollout_without_all_its_parts_is_no_record(string part, string other)
    {
        AppRecord one = new() { App = "hello", Generation = 4, Change = "x", By = "a", Version = 1, Manifest = "one", Path = "/one" };
        AppRecord two = Decided(new RolloutChange.Stop("asked"), Decided(new RecordChange.Replace(2, "two", null, IsForced: false), one));
        string text = System.Text.Encoding.UTF8.GetString(RecordText.Write(two));
        Assert.NotNull(RecordText.Read(RecordText.Write(two)));
        Assert.Contains(part, text);
        Assert.Null(RecordText.Read(System.Text.Encoding.UTF8.GetBytes(text.Replace(part, other))));
    }

    [Fact]
    public void A_tombstone_is_kept_as_long_as_it_may_be_needed()
    {
        AppRecord tombstone = new() { App = "hello", Generation = 2, Change = "x", By = "a", IsDeleted = true };
        Assert.Equal(MergeStep.PutBack, RecordMerge.Decide(null, tombstone, TimeSpan.FromDays(29), TimeSpan.Zero));
        Assert.Equal(MergeStep.Nothing, RecordMerge.Decide(null, tombstone, TimeSpan.FromDays(31), TimeSpan.Zero));
        Assert.False(RecordMerge.MayForget(tombstone, TimeSpan.FromDays(89)));
        Assert.True(RecordMerge.MayForget(tombstone, TimeSpan.FromDays(91)));
        Assert.False(RecordMerge.MayForget(tombstone with { IsDeleted = false }, TimeSpan.FromDays(91)));
    }
}
