using Cocaine.Fast.Core.Pools;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>Whether few slaves or all of them end more jobs is found out by trying both, and the trials cost next to nothing.</summary>
public class CoreTrialTests
{
    private const long TurnNs = 100_000;
    private const int Slaves = 8;

    private long _nowNs = 1;
    private double _ended;
    private long _endedBefore;
    private long _fewNs;
    private int _changes;

    [Theory]
    [InlineData(2.0)]
    [InlineData(1.3)]
    public void Few_slaves_get_the_jobs_where_more_jobs_end_so(double gain)
    {
        CoreTrial trial = new();
        Run(trial, 0.5, 100_000 * gain, 100_000);
        Assert.Equal(CoreTrialStage.Few, trial.Stage);
        Assert.InRange(Run(trial, 60, 100_000 * gain, 100_000), 0.97, 1);
    }

    [Theory]
    [InlineData(0.2)]
    [InlineData(0.9)]
    [InlineData(1.05)]
    public void All_slaves_get_the_jobs_where_few_end_no_more(double gain)
    {
        CoreTrial trial = new();
        Assert.InRange(Run(trial, 60, 50_000 * gain, 50_000), 0, 0.02);
        Assert.Equal(CoreTrialStage.All, trial.Stage);
    }

    [Fact]
    public void A_trial_that_ends_far_fewer_jobs_is_cut_short()
    {
        CoreTrial trial = new();
        double share = Run(trial, 60, 1_000, 50_000);
        Assert.InRange(share * 60 / _changes * 2, 0.001, 0.008); // seconds of one trial
    }

    [Fact]
    public void Jobs_that_become_slow_get_all_slaves_again_and_quick_ones_few()
    {
        CoreTrial trial = new();
        Run(trial, 30, 200_000, 100_000);
        Run(trial, 11, 20_000, 100_000);
        Assert.Equal(CoreTrialStage.All, trial.Stage);
        Run(trial, 11, 200_000, 100_000);
        Assert.Equal(CoreTrialStage.Few, trial.Stage);
    }

    [Fact]
    public void Noise_costs_little_of_what_is_gained()
    {
        CoreTrial trial = new();
        Random random = new(1);
        double few = 0;
        for (int i = 0; i < 3000; i++)
        {
            double noise = 0.6 + (0.8 * random.NextDouble()); // of 20 ms: other programs take the cores
            few += Run(trial, 0.02, 200_000 * noise, 100_000 * noise);
        }

        Assert.InRange(few / 3000, 0.9, 1);
    }

    [Fact]
    public void Nothing_is_tried_while_no_jobs_wait_or_jobs_take_long()
    {
        CoreTrial trial = new();
        Assert.Equal(0, Run(trial, 60, 200_000, 100_000, jobsWait: false));
        Assert.Equal(0, Run(trial, 60, 2_000, 1_000));
    }

    [Fact]
    public void When_no_jobs_wait_any_more_every_job_may_wake_a_slave()
    {
        CoreTrial trial = new();
        Run(trial, 1, 200_000, 100_000);
        Assert.True(trial.IsFew);
        Run(trial, 0.05, 1_000, 1_000, jobsWait: false);
        Assert.False(trial.IsFew);
    }

    /// <summary>Lets time pass; the jobs end at these rates, 1/s.</summary>
    /// <returns>The share of the time in which few slaves had jobs.</returns>
    private double Run(CoreTrial trial, double seconds, double few, double all, bool jobsWait = true)
    {
        long from = _nowNs, fewNs = _fewNs;
        while (_nowNs - from < seconds * 1e9)
        {
            bool before = trial.IsFew;
            _ended += TurnNs * (before ? few : all) / 1e9;
            _fewNs += before ? TurnNs : 0;
            _nowNs += TurnNs;
            if ((long)_ended > _endedBefore)
            {
                _endedBefore = (long)_ended;
            }

            trial.Look(_nowNs, _endedBefore, jobsWait, busy: Slaves);
            _changes += trial.IsFew != before ? 1 : 0;
        }

        return (_fewNs - fewNs) / (double)(_nowNs - from);
    }
}
