using Cocaine.Fast.Client.Choosing;
using Cocaine.Fast.Core.Balancing;
using CsCheck;

namespace Cocaine.Fast.Client.Tests.Choosing;

/// <summary>The pure rules of a client of many nodes: retries, silence, and the addresses that it keeps.</summary>
public class RetryTests
{
    private const long Ms = 1_000_000;

    /// <summary>All inputs: a job runs twice only by its caller's word, and never after its answer has begun.</summary>
    [Fact]
    public void A_call_is_retried_only_when_its_job_cannot_run_twice_or_may()
    {
        foreach (TryEnd end in Enum.GetValues<TryEnd>())
        {
            foreach (bool isIdempotent in (bool[])[false, true])
            {
                for (int tried = 1; tried <= 4; tried++)
                {
                    Assert.False(RetryRule.MayRetry(end, isIdempotent, hasBegun: true, tried));
                    bool expected = tried <= 2 && (end == TryEnd.NeverRun || (end == TryEnd.Lost && isIdempotent));
                    Assert.Equal(expected, RetryRule.MayRetry(end, isIdempotent, hasBegun: false, tried));
                }
            }
        }
    }

    [Fact]
    public void What_is_left_of_a_deadline_is_never_more_and_never_nothing() =>
        Gen.Select(Gen.Int[1, 100_000], Gen.Int[0, 200_000]).Sample((deadline, spent) =>
        {
            TimeSpan left = RetryRule.Left(TimeSpan.FromMilliseconds(deadline), TimeSpan.FromMilliseconds(spent))!.Value;
            Assert.Equal(Math.Max(1, deadline - spent), left.TotalMilliseconds);
            Assert.Null(RetryRule.Left(null, TimeSpan.FromMilliseconds(spent)));
        });

    /// <summary>
    /// Whatever happens at whatever times: retries stay within a tenth of the calls and ten a second, and what ten seconds save up.
    /// </summary>
    [Fact]
    public void No_history_lets_out_more_retries_than_the_budget_has() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 2000]).Array[1, 400].Sample(
            history =>
            {
                RetryBudget budget = new(0);
                long nowMs = 0;
                int calls = 0, retries = 0;
                foreach ((int kind, int pauseMs) in history)
                {
                    nowMs += pauseMs;
                    for (int i = 0; i < 50; i++)
                    {
                        if (kind == 0)
                        {
                            budget.OnCall();
                            calls++;
                        }
                        else if (budget.TryRetry(nowMs * Ms))
                        {
                            retries++;
                        }
                    }
                }

                Assert.True(retries <= 10 + (calls * 0.1) + (nowMs * 0.01) + 0.01, $"{retries} retries of {calls} calls in {nowMs} ms");
            },
            iter: 5000);

    /// <summary>A node that was silent when its last call was given up is avoided until it says something.</summary>
    [Fact]
    public void A_silent_node_stays_avoided_when_its_calls_are_given_up()
    {
        NodeNews node = new();
        node.OnReport(new LoadReport(4, 0, 0, 1), 0);
        node.OnSent(0);
        node.OnGivenUp(200 * Ms);
        Assert.False(node.IsAvoided(10_000 * Ms)); // it was not silent for long enough: the caller had its own reasons
        node.OnSent(10_000 * Ms);
        node.OnSent(10_100 * Ms);
        node.OnGivenUp(10_300 * Ms);
        node.OnGivenUp(10_301 * Ms);
        Assert.True(node.IsAvoided(60_000 * Ms));
        node.OnReport(new LoadReport(4, 0, 0, 1), 60_000 * Ms);
        Assert.False(node.IsAvoided(60_000 * Ms));
        node.OnTakes(false);
        Assert.True(node.IsAvoided(60_000 * Ms)); // it drains
        node.OnTakes(true);
        Assert.False(node.IsAvoided(60_000 * Ms));
    }

    /// <summary>No order of events leaves a count below nothing, or makes the choice give a node that is avoided while another is not.</summary>
    [Fact]
    public void The_choice_never_gives_an_avoided_node_while_another_one_is_not() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 6], Gen.Int[0, 400]).Array[1, 200].Sample(
            events =>
            {
                NodeNews[] nodes = [new(), new(), new()];
                int[] calls = new int[3];
                Random random = new(1);
                long nowNs = 0;
                foreach ((int at, int kind, int pauseMs) in events)
                {
                    nowNs += pauseMs * Ms;
                    int chosen = NodeChoice.Choose(nodes, nowNs, random);
                    Assert.True(!nodes[chosen].IsAvoided(nowNs) || nodes.All(node => node.IsAvoided(nowNs)));
                    int i = at % 3;
                    switch (kind)
                    {
                        case 0:
                            nodes[chosen].OnSent(nowNs);
                            calls[chosen]++;
                            break;
                        case 1 when calls[i] > 0:
                            nodes[i].OnAnswered(nowNs);
                            calls[i]--;
                            break;
                        case 2 when calls[i] > 0:
                            nodes[i].OnGivenUp(nowNs);
                            calls[i]--;
                            break;
                        case 3:
                            nodes[i].OnReport(new LoadReport(4, at, pauseMs, 20 * Ms), nowNs);
                            break;
                        case 4:
                            nodes[i].OnRefused(nowNs, pauseMs * Ms);
                            break;
                        case 5:
                            nodes[i].OnLost(nowNs);
                            calls[i] = 0;
                            break;
                        case 6:
                            nodes[i].OnTakes(pauseMs % 2 == 0);
                            break;
                    }

                    Assert.Equal(calls, nodes.Select(node => node.InFlight));
                }
            },
            iter: 5000);

    /// <summary>Answers add at once and take away late, and never more than twenty are kept.</summary>
    [Fact]
    public void Addresses_come_at_once_and_go_when_six_answers_in_a_row_lack_them() =>
        Gen.Int[0, 40].Array[0, 12].Array[1, 40].Sample(
            answers =>
            {
                KnownNodes known = new();
                Dictionary<string, int> missed = [];
                string[] kept = [];
                foreach (int[] answer in answers)
                {
                    string[] listed = [.. answer.Select(node => $"{node}")];
                    known.OnListed(listed);
                    foreach (string one in missed.Keys.ToArray())
                    {
                        missed[one] = listed.Contains(one) ? 0 : missed[one] + 1;
                    }

                    Array.ForEach(listed, one => missed[one] = 0);
                    Assert.InRange(known.Wanted.Count, 0, 20);
                    Assert.All(known.Wanted, one => Assert.InRange(missed[one], 0, 5));
                    Assert.All(kept.Where(one => missed[one] < 6), one => Assert.Contains(one, known.Wanted));
                    kept = [.. known.Wanted];
                    Assert.True(known.Wanted.Count == 20 || listed.All(one => known.Wanted.Contains(one)));
                }
            },
            iter: 3000);
}
