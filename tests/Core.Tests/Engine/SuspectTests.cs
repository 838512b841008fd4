using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Slaves;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>What becomes of the jobs of a slave that died with several of them.</summary>
public class SuspectTests
{
    private static readonly EngineSettings Shared = new()
    {
        PoolLimit = 1,
        Concurrency = 64,
        QueueLimit = 100,
        HeartbeatTimeoutMs = 600_000,
        RetryLimit = 1,
    };

    [Fact]
    public void Forty_jobs_beside_one_that_kills_are_answered_and_it_alone_is_charged()
    {
        World world = World.Begun(Shared);
        Submit(world, 20, "nice");
        world.Submit("poison");
        Submit(world, 20, "nice");
        world.Die(0);

        int deaths = 0;
        for (int i = 0; i < 100 && world.Engine.RunningJobs + world.Engine.Queue.Count > 0; i++)
        {
            world.Advance(1000); // from the third slave on that dies young the next one comes after a pause
            world.Ready(0);
            if (world.Links[0].Jobs.Contains("poison"))
            {
                deaths++;
                world.Die(0);
                continue;
            }

            world.Links[0].Slave.Channels.ToList().ForEach(world.Close); // the next group comes meanwhile
        }

        Assert.InRange(deaths, 2, 7); // 21, 11, 6, 3, 2, and alone: retry-limit + 1
        Assert.Equal(40, world.Ends.Count(end => end is { Name: "nice", Code: 0 }));
        Assert.Equal(("poison", 502), Assert.Single(world.Ends, end => end.Code != 0) is var end ? (end.Name, end.Code) : default);
        Assert.Equal((1UL, (ulong)deaths - 1), (world.Engine.Counters.JobsQuarantined, world.Engine.Counters.UnprovenDeaths));
        Assert.Single(world.Log, line => line.Contains("had 41 jobs when it died"));
        world.Finish();
    }

    [Fact]
    public void Jobs_that_may_run_once_only_fail_with_a_text_that_charges_none_of_them()
    {
        World world = World.Begun(Shared with { RetryLimit = 0 });
        Submit(world, 3, "once");
        string slave = world.Links[0].Slave.ShortId;
        world.Die(world.Links[0], "signal 11");
        Assert.Equal(3, world.Ends.Count);
        Assert.All(world.Ends, end => Assert.Equal(
            (502, $"slave {slave} died: signal 11; this was one of 3 jobs on it, and it is not known which of them was the cause"),
            (end.Code, end.Reason)));
        Assert.Equal((0UL, 0UL), (world.Engine.Counters.JobsQuarantined, world.Engine.Counters.JobsRetried));
        world.Finish();
    }

    [Fact]
    public void A_caller_may_ask_for_fewer_runs_and_for_no_more_than_the_app_allows()
    {
        Assert.Equal(1, Runs(new EngineSettings { RetryLimit = 0 }, 300)); // at most once is the operator's word
        Assert.Equal(6, Runs(new EngineSettings { RetryLimit = 1 }, 300));
        Assert.Equal(10, Runs(new EngineSettings { RetryLimit = 9 }, 300));
        Assert.Equal(21, Runs(new EngineSettings { RetryLimit = 1, RetryLimitMax = 20 }, 300));
        Assert.Equal(3, Runs(new EngineSettings { RetryLimit = 9 }, 2));
        Assert.Equal(1, Runs(new EngineSettings { RetryLimit = 9 }, 0));

        static int Runs(EngineSettings settings, int asked)
        {
            World world = World.Begun(settings with { PoolLimit = 1 });
            world.Ask("kills", new JobPolicy { RetryLimit = asked });
            int runs = 1;
            for (; world.Ends.Count == 0; runs++)
            {
                world.Die(0);
                world.Advance(1000); // from the third slave on that dies young the next one comes after a pause
                world.Ready(0);
            }

            return runs - 1;
        }
    }

    [Fact]
    public void On_the_only_slave_suspects_and_others_take_turns()
    {
        World world = World.Begun(Shared with { Concurrency = 4 });
        Submit(world, 4, "suspect");
        world.Die(0);
        Submit(world, 3, "usual");
        List<string> turns = [];
        for (int i = 0; i < 40 && world.Ends.Count < 12; i++)
        {
            world.Ready(0);
            turns.Add(string.Join(' ', world.Links[0].Jobs));
            while (world.Links[0].Channels.Count > 0 && world.Links[0].Jobs[0] == turns[^1].Split(' ')[0])
            {
                world.CloseOne(world.Links[0]);
                break;
            }

            if (world.Ends.Count is 2 or 6)
            {
                world.Submit("later");
            }
        }

        Assert.Equal("suspect suspect", turns[0]);
        Assert.Equal("suspect", turns[1]);
        Assert.Equal("usual usual usual", turns[2]);
        Assert.All(turns, turn => Assert.True(turn is "suspect" or "suspect suspect" || !turn.Contains("suspect"), turn)); // never beside another
        Assert.Equal(2, turns.Count(turn => turn == "suspect suspect"));
        Assert.All(world.Ends, end => Assert.Equal(0, end.Code));
        world.Finish();
    }

    [Fact]
    public void Jobs_that_all_kill_leave_a_turn_to_others_after_each_death()
    {
        World world = World.Begun(Shared with { Concurrency = 8, RetryLimit = 5 });
        Submit(world, 8, "poison");
        world.Die(0);
        for (int i = 0; i < 20; i++)
        {
            world.Ready(0);
            world.Submit("usual"); // waits for the suspect, or runs
            if (world.Links[0].Jobs[0] == "poison")
            {
                world.Die(0);
                world.Ready(0);
            }

            Assert.Equal("usual", world.Links[0].Jobs[0]);
            while (world.Links[0].Jobs is ["usual", ..])
            {
                world.CloseOne(world.Links[0]);
            }
        }

        Assert.True(world.Ends.Count(end => end.Name == "usual") >= 20);
        Assert.True(world.Engine.Counters.SlavesDied >= 20);
    }

    [Fact]
    public void While_a_suspect_has_one_slave_others_go_to_the_next_at_once()
    {
        World world = World.Begun(Shared with { PoolLimit = 2, PoolMinimum = 2 });
        world.Ready(0);
        world.Advance(1000); // both have shown that they can live
        Submit(world, 1, "b"); // both have one
        Submit(world, 1, "c");
        FakeLink dies = world.Links.First(link => link.Channels.Count > 0);
        Submit(world, 2, "d");
        world.Die(dies);
        world.Ready(0);
        for (int i = 0; i < 5; i++)
        {
            Job usual = world.Ask("usual")!;
            Assert.Equal(JobState.Running, usual.State);
            Assert.Equal(SoloStage.None, usual.Slave!.Solo.Stage);
        }

        world.Finish();
    }

    /// <summary>Each of them runs once more, and the slave dies of none.</summary>
    [Fact]
    public void A_full_slave_of_suspects_is_through_in_two_halves()
    {
        World world = World.Begun(Shared with { Concurrency = 256 });
        Submit(world, 256, "nice");
        world.Die(0);
        world.Ready(0);
        for (int i = 0; i < 256; i++)
        {
            Assert.Equal(128 - (i % 128), world.Links[0].Jobs.Count);
            world.CloseOne(world.Links[0]);
        }

        Assert.Equal(256, world.Ends.Count(end => end.Code == 0));
        Assert.Equal(1UL, world.Engine.Counters.SlavesDied);
        world.Finish();
    }

    [Fact]
    public void A_suspect_runs_beside_a_job_that_does_not_end_once_the_slave_was_cleared_for_long()
    {
        World world = World.Begun(Shared with { Concurrency = 4 });
        Submit(world, 2, "suspect");
        world.Die(0);
        world.Ready(0);
        Assert.Equal(["suspect"], world.Links[0].Jobs);
        world.Submit("endless"); // waits
        world.CloseOne(world.Links[0]);
        Assert.Equal(["endless"], world.Links[0].Jobs);
        Assert.Equal(SoloStage.Clearing, world.Links[0].Slave.Solo.Stage);

        world.Submit("usual");
        world.Advance(EngineLimits.MaxAloneMs - 1);
        Assert.Equal(["endless"], world.Links[0].Jobs);
        world.Advance(1);
        Assert.Equal(["endless", "suspect"], world.Links[0].Jobs); // and no other one
        world.CloseNewest(world.Links[0]);
        Assert.Equal(["endless", "usual"], world.Links[0].Jobs);
        Assert.Equal(["suspect", "suspect"], world.Ends.Select(end => end.Name));
        world.Finish();
    }

    [Fact]
    public void A_suspect_that_does_not_end_is_none_any_more_when_others_wait()
    {
        World world = World.Begun(Shared with { Concurrency = 4 });
        Submit(world, 1, "short");
        Submit(world, 2, "endless");
        world.Die(0);
        world.Ready(0);
        Assert.Equal(["endless", "endless"], world.Links[0].Jobs);
        Assert.Equal(SoloStage.Running, world.Links[0].Slave.Solo.Stage);
        world.Advance(EngineLimits.MaxAloneMs - 1);
        Assert.Equal(2, world.Links[0].Jobs.Count);
        world.Advance(1); // the next one is given at once after the wait
        world.Advance(EngineLimits.MaxAloneMs);
        Assert.Equal(["endless", "endless", "short"], world.Links[0].Jobs);
        Assert.Single(world.Log, line => line.Contains("have run apart for 2000 ms"));
        world.CloseNewest(world.Links[0]);
        Assert.Equal(("short", 0), Assert.Single(world.Ends) is var end ? (end.Name, end.Code) : default);
        world.Finish();
    }

    [Fact]
    public void A_suspect_keeps_its_slave_for_as_long_as_nobody_else_wants_it()
    {
        World world = World.Begun(Shared with { Concurrency = 4 });
        Submit(world, 2, "long");
        world.Die(0);
        world.Ready(0);
        world.CloseOne(world.Links[0]);
        world.Advance(20 * EngineLimits.MaxAloneMs);
        Assert.Equal(SoloStage.Running, world.Links[0].Slave.Solo.Stage);
        world.Submit("usual");
        Assert.Equal(["long"], world.Links[0].Jobs);
        world.Advance(EngineLimits.MaxAloneMs);
        Assert.Equal(["long", "usual"], world.Links[0].Jobs);
        world.Finish();
    }

    /// <summary>The jobs that do not end have run for long on slaves that lived. The suspect beside them is the one that kills.</summary>
    [Fact]
    public void A_suspect_that_kills_beside_jobs_that_do_not_end_is_charged_and_they_run_on_however_often()
    {
        World world = World.Begun(Shared with { RetryLimit = 9 });
        Submit(world, 3, "endless");
        world.Submit("poison");
        world.Die(0);
        int beside = 0;
        for (int i = 0; i < 100 && world.Ends.Count == 0; i++)
        {
            world.Ready(0);
            Slave slave = world.Links[0].Slave;
            if (world.Links[0].Jobs.Contains("poison") && slave.Channels.ToList().Find(job => job.Event.Length == "poison".Length) is { } poison
                && slave.Solo.IsFor(poison))
            {
                beside += slave.Channels.ToList().Exists(job => !slave.Solo.IsFor(job)) ? 1 : 0;
                world.Die(0);
                continue;
            }

            world.Advance(EngineLimits.MaxAloneMs);
        }

        Assert.Equal(("poison", 502), Assert.Single(world.Ends) is var end ? (end.Name, end.Code) : default);
        Assert.True(beside >= 5, $"{beside} deaths beside others");
        Assert.Equal(1UL, world.Engine.Counters.JobsQuarantined);
        Assert.Equal(2UL, world.Engine.Counters.UnprovenDeaths); // of all four, and of the half with the poison
        world.Ready(0);
        world.Advance(EngineLimits.MaxAloneMs);
        world.Advance(EngineLimits.MaxAloneMs);
        world.Advance(EngineLimits.MaxAloneMs);
        Assert.Equal(["endless", "endless", "endless"], world.Links[0].Jobs);
        world.Finish();
    }

    [Fact]
    public void A_suspect_that_was_cancelled_before_it_began_is_no_cause_of_a_death()
    {
        World world = World.Begun(Shared);
        Submit(world, 4, "job");
        world.SlavesTell = true;
        world.Die(0);
        world.Ready(0);
        List<Job> group = world.Links[0].Slave.Channels.ToList();
        Assert.Equal(2, group.Count);
        world.Links[0].BegunWord = group[0].SlaveChannel;
        world.Cancel(group[1]);
        world.Die(0);
        Assert.Single(group[0].Deaths!);
        world.Advance(1000);
        for (int i = 0; i < 3; i++)
        {
            world.Ready(0);
            world.Links[0].Slave.Channels.ToList().ForEach(world.Close);
            world.Advance(1000);
        }

        Assert.Equal([0, 0, 0], world.Ends.Select(end => end.Code)); // and the one of the client that is gone
        world.Finish();
    }

    [Fact]
    public void The_newest_of_a_dead_slaves_jobs_is_the_first_suspect_to_run()
    {
        World world = World.Begun(Shared);
        foreach (string name in (string[])["first", "second", "third"])
        {
            world.Submit(name);
        }

        world.Die(0);
        world.Ready(0);
        for (int i = 0; i < 3; i++)
        {
            world.CloseOne(world.Links[0]);
        }

        Assert.Equal(["third", "second", "first"], world.Ends.Select(end => end.Name));
        world.Finish();
    }

    [Fact]
    public void The_deadline_and_the_queue_timeout_of_a_waiting_suspect_hold_and_free_the_slave_that_is_cleared_for_it()
    {
        World world = World.Begun(Shared with { PoolLimit = 2, PoolMinimum = 2, QueueTimeoutMs = 5000 });
        world.Ready(0);
        world.Submit("a", deadlineMs: 500);
        world.Submit("b");
        FakeLink dies = world.Links.First(link => link.Channels.Count == 1);
        world.Submit("c", deadlineMs: 700);
        world.Submit("d", deadlineMs: 700);
        List<string> before = [.. dies.Jobs];
        world.Die(dies);
        world.Advance(700);
        Assert.All(world.Ends, end => Assert.Equal(520, end.Code));
        world.Advance(5000);
        Assert.Equal(0, world.Engine.Queue.Count);
        Assert.DoesNotContain(world.Links, link => link.Slave.Solo.Stage == SoloStage.Clearing);
        Assert.NotEmpty(before);
        world.Finish();
    }

    [Fact]
    public void Neighbours_of_a_job_for_which_the_node_kills_the_slave_are_no_suspects()
    {
        World world = World.Begun(Shared with { TerminationTimeoutMs = 1000 });
        world.Ask("hangs", new JobPolicy { SilenceTimeoutMs = 1000 });
        Submit(world, 3, "beside");
        world.Advance(1000);
        world.Advance(1000);
        world.Ready(0);
        Assert.Equal(["beside", "beside", "beside"], world.Links[0].Jobs); // run again, and together
        Assert.Equal(0UL, world.Engine.Counters.UnprovenDeaths);
        world.Finish();
    }

    [Fact]
    public void The_request_of_a_suspect_is_kept_for_each_run_that_it_may_have()
    {
        World world = World.Begun(Shared);
        world.Submit("beside");
        Job open = world.Begin("open");
        world.Die(0);
        world.Ready(0);
        Assert.Equal(["open"], world.Links[0].Jobs);
        world.More(open, sizeBytes: 10); // comes while it runs for the second time
        world.Die(0);
        world.Ready(0);
        world.Close(0);
        Assert.Equal(["open"], world.Links[0].Jobs);
        Assert.True(open.Request.IsWhole);
        world.Engine.EndRequest(open);
        world.Close(0);
        Assert.Equal([("beside", 0), ("open", 0)], world.Ends.Select(end => (end.Name, end.Code)));
        world.Finish();
    }

    [Fact]
    public void Suspects_do_not_fill_the_queue_for_others()
    {
        World world = World.Begun(Shared with { QueueLimit = 2 });
        Submit(world, 10, "suspect");
        world.Die(0);
        Assert.Equal(10, world.Engine.Queue.Count);
        Assert.NotNull(world.Ask("one"));
        Assert.NotNull(world.Ask("two"));
        Assert.Null(world.Ask("three"));
        Assert.Equal("the queue is full: 2 jobs wait", world.Refusal.Reason);
        world.Finish();
    }

    [Fact]
    public void Not_more_suspects_wait_than_there_is_room_for()
    {
        World world = World.Begun(Shared with { Concurrency = EngineLimits.MaxSuspects + 10, QueueLimit = 0 });
        Submit(world, EngineLimits.MaxSuspects + 10, "one of many");
        world.Die(0);
        Assert.Equal(EngineLimits.MaxSuspects, world.Engine.Queue.Suspects.Count);
        Assert.Equal(10, world.Ends.Count(end => end.Code == 502));
        Assert.Equal(0UL, world.Engine.Counters.JobsQuarantined);
    }

    /// <summary>
    /// Any number of jobs of which some kill, on any number of slaves, and some of the others do not end: every innocent one is answered and
    /// charged with nothing, every one that kills is charged with its own deaths only, and the rounds are those of halvings.
    /// </summary>
    [Fact]
    public void Jobs_that_kill_are_found_by_halving_and_no_other_is_charged() =>
        Gen.Select(Gen.Int[2, 64], Gen.Int[0, 4], Gen.Int[1, 4], Gen.ULong).Sample((count, killers, slaves, seed) =>
        {
            World world = World.Begun(Shared with { Concurrency = 64, PoolLimit = slaves, RetryLimit = 1 });
            SimRandom random = new(seed);
            int[] poisons = [.. Enumerable.Range(0, killers).Select(_ => random.Below(count)).Distinct()];
            for (int i = 0; i < count; i++)
            {
                world.Submit(poisons.Contains(i) ? "poison" : i % 3 == 0 ? "slow" : "nice");
            }

            int rounds = 0;
            for (; world.Ends.Count < count; rounds++)
            {
                Assert.True(rounds < 2 + (4 * (poisons.Length + 1) * (2 + int.Log2(count) + 2)), $"{rounds} rounds");
                Round(world);
            }

            Assert.Equal(count - poisons.Length, world.Ends.Count(end => end.Name != "poison" && end.Code == 0));
            Assert.All(world.Ends.Where(end => end.Name == "poison"), end => Assert.Equal(502, end.Code));
            Assert.Equal((ulong)poisons.Length, world.Engine.Counters.JobsQuarantined);
            world.Finish();
        }, iter: 300);

    /// <summary>Jobs that kill do so, quick ones end, and slow ones after the time for which a slave is kept apart.</summary>
    private static void Round(World world)
    {
        foreach (FakeLink link in world.Links.ToArray())
        {
            if (!link.Slave.WasReady)
            {
                world.Ready(world.Links.ToList().IndexOf(link));
            }
            else if (link.Jobs.Contains("poison"))
            {
                world.Die(link);
            }
            else
            {
                foreach (Job job in link.Slave.Channels.ToList().FindAll(job => job.Event.Length == "nice".Length && (char)job.Event[0] == 'n'))
                {
                    world.Close(job);
                }
            }
        }

        world.Advance(EngineLimits.MaxAloneMs);
        foreach (FakeLink link in world.Links.Where(link => !link.Jobs.Contains("poison")).ToArray())
        {
            foreach (Job job in link.Slave.Channels.ToList())
            {
                world.Close(job);
            }
        }
    }

    private static void Submit(World world, int count, string name)
    {
        for (int i = 0; i < count; i++)
        {
            world.Submit(name);
        }
    }
}
