using Cocaine.Fast.Core.Pools;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>How many slaves end most jobs is found out by trying, and the trials cost next to nothing.</summary>
public class CoreTrialTests
{
    private const long TurnNs = 100_000;
    private const int Slaves = 8, Cores = 2;

    private readonly CoreTrial _trial = new(Cores);
    private long _nowNs = 1;
    private double _ended;
    private int _changes;

    [Theory]
    [InlineData(1, 100_000, 150_000, 200_000)] // fewest are best: slaves only take turns, with the node too
    [InlineData(Cores, 100_000, 200_000, 150_000)]
    [InlineData(Cores, 100_000, 130_000, 10_000)]
    [InlineData(int.MaxValue, 200_000, 100_000, 50_000)]
    [InlineData(int.MaxValue, 50_000, 52_000, 10_000)] // a little more may be noise
    public void As_many_slaves_get_the_jobs_as_end_most(int best, int all, int cores, int one)
    {
        Rates rates = new(all, cores, one);
        Run(0.7, rates);
        Assert.Equal(best, _trial.Slaves);
        Assert.InRange(Run(60, rates) / (60 * rates.Of(best)), 0.97, 1.03);
        Assert.Equal(best, _trial.Slaves);
    }

    [Fact]
    public void A_pool_of_as_many_slaves_as_cores_may_have_one_too_many()
    {
        Run(0.7, new Rates(100_000, 100_000, 200_000), total: Cores);
        Assert.Equal(1, _trial.Slaves);
    }

    [Fact]
    public void A_trial_that_ends_far_fewer_jobs_is_cut_short()
    {
        _changes = 0;
        double ended = Run(60, new Rates(50_000, 1_000, 1_000));
        Assert.InRange((60 - (ended / 50_000)) / (_changes / 2), 0.001, 0.008); // seconds of one trial
    }

    [Fact]
    public void Jobs_that_become_slow_get_all_slaves_again_and_quick_ones_few()
    {
        Rates quick = new(100_000, 200_000, 300_000);
        Run(30, quick);
        Run(21, new Rates(100_000, 20_000, 10_000));
        Assert.Equal(int.MaxValue, _trial.Slaves);
        Run(21, quick);
        Assert.Equal(1, _trial.Slaves);
    }

    [Fact]
    public void Noise_costs_little_of_what_is_gained()
    {
        Random random = new(1);
        double ended = 0, possible = 0;
        for (int i = 0; i < 3000; i++)
        {
            double noise = 0.6 + (0.8 * random.NextDouble()); // of 20 ms: other programs take the cores
            ended += Run(0.02, new Rates(100_000 * noise, 200_000 * noise, 150_000 * noise));
            possible += 200_000 * noise * 0.02;
        }

        Assert.InRange(ended / possible, 0.85, 1);
    }

    [Fact]
    public void Nothing_is_tried_while_no_jobs_wait_or_jobs_take_long()
    {
        Run(60, new Rates(100_000, 200_000, 200_000), jobsWait: false);
        Run(60, new Rates(1_000, 2_000, 2_000));
        Assert.Equal(0, _changes);
    }

    [Fact]
    public void When_no_jobs_wait_any_more_every_job_may_wake_a_slave()
    {
        Run(1, new Rates(100_000, 200_000, 200_000));
        Assert.True(_trial.IsFew);
        Run(0.05, new Rates(1_000, 1_000, 1_000), jobsWait: false);
        Assert.False(_trial.IsFew);
    }

    [Fact]
    public void What_was_found_holds_again_as_soon_as_jobs_wait_again()
    {
        Rates rates = new(100_000, 150_000, 200_000);
        Run(1, rates);
        Run(0.05, new Rates(1_000, 1_000, 1_000), jobsWait: false);
        Run(0.045, rates);
        Assert.Equal(1, _trial.Slaves);
    }

    [Fact]
    public void The_best_number_is_found_within_a_moment()
    {
        Run(0.15, new Rates(100_000, 150_000, 200_000));
        Assert.Equal(1, _trial.Slaves);
    }

    /// <summary>Lets time pass.</summary>
    /// <returns>Jobs that ended.</returns>
    private double Run(double seconds, Rates rates, bool jobsWait = true, int total = Slaves)
    {
        double endedBefore = _ended;
        long from = _nowNs;
        while (_nowNs - from < seconds * 1e9)
        {
            int before = _trial.Slaves;
            _ended += TurnNs * rates.Of(before) / 1e9;
            _nowNs += TurnNs;
            _trial.Look(_nowNs, (long)_ended, jobsWait, busy: Math.Min(before, total), total);
            _changes += _trial.Slaves != before ? 1 : 0;
        }

        return _ended - endedBefore;
    }

    /// <summary>Jobs that end in a second, by the number of slaves that get jobs.</summary>
    private readonly record struct Rates(double All, double Cores, double One)
    {
        public double Of(int slaves) => slaves switch { 1 => One, int.MaxValue => All, _ => Cores };
    }
}
