using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Tests.Engine;

namespace Cocaine.Fast.Core.Tests.Ledger;

/// <summary>The records of jobs that stand in a slave's ring: placed, begun in their turn, or taken back.</summary>
public sealed class PlacedJobRecordTests : IDisposable
{
    private const ulong First = 2; // the first channel of a slave
    private readonly LedgerMemory _memory = new(LedgerLayout.MinRecords);

    public void Dispose() => _memory.Dispose();

    [Fact]
    public void A_job_in_a_ring_is_placed_and_not_run_until_its_turn_and_its_record_says_how_long_it_stood()
    {
        World world = Quick(out FakeLink link);
        Job running = world.Ask("running")!;
        Job placed = world.Ask("placed")!;
        string slave = Entry(running).Slave!;
        Assert.True(Entry(placed) is { IsPlaced: true, Runs: 0, DispatchedNs: null, StoodNs: null } entry && entry.Slave == slave);
        Assert.True(Entry(running) is { IsPlaced: false, Runs: 1, StoodNs: null });

        world.Advance(1);
        link.BegunWord = First + 1;
        world.CloseOne(link);

        Assert.True(Entry(placed) is { IsPlaced: false, Runs: 1, DispatchedNs: 1_000_000, StoodNs: 1_000_000 } begun && begun.Slave == slave);
        world.Finish();
    }

    [Fact]
    public void A_job_that_is_taken_back_has_no_slave_and_no_run()
    {
        World world = Quick(out FakeLink link);
        world.Ask("slow");
        link.BegunWord = First + 1;
        Job back = world.Ask("back")!;
        Assert.True(Entry(back).IsPlaced);

        world.Advance(EngineLimits.MostStandingMs + 1);

        Assert.Equal(JobState.Queued, back.State);
        Assert.True(Entry(back) is { IsPlaced: false, Runs: 0, Slave: null, DispatchedNs: null, QueuedNs: 0 });
        world.Finish();
    }

    [Fact]
    public void A_job_that_waited_in_a_dead_slave_is_charged_with_nothing_in_its_record_either()
    {
        World world = Quick(out FakeLink link, concurrency: 8);
        Job begun = world.Ask("begun")!;
        Job waited = world.Ask("waited")!; // to run, as far as the node knows
        link.BegunWord = First + 1;
        Assert.Equal((1, 1), (Entry(begun).Runs, Entry(waited).Runs));

        world.Die(link);

        Assert.True(Entry(waited) is { Runs: 0, Slave: null, DispatchedNs: null, QueuedNs: not null });
        Assert.Equal(1, Entry(begun).Runs);
        world.Ready(0);
        world.Finish();
    }

    private LedgerEntry Entry(Job job) => _memory.Reader().Find(job.Id)!;

    private World Quick(out FakeLink link, int concurrency = 1)
    {
        EngineSettings settings = new() { PoolLimit = 1, Concurrency = concurrency, QueueLimit = 100 };
        World world = World.Begun(settings, new EngineRecords { Ledger = _memory.Ring });
        world.Advance(1); // a time of 0 is none in a record
        link = world.Links[0];
        link.BegunWord = 1;
        world.Ask("quick");
        link.BegunWord = First;
        world.CloseOne(link);
        return world;
    }
}
