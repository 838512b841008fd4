using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Slaves;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>The rule of suspects by itself, for any number of jobs of which any kill, and rules that are wrong in one point.</summary>
public class SuspectRuleTests
{
    private const int Deaths = 2; // of its own that end a job: a retry-limit of 1

    private static readonly Job Suspect = new(null!, new BlockPool()) { SuspectGroup = 1 };

    [Fact]
    public void The_jobs_that_kill_are_charged_alone_within_few_rounds() => Sample(SuspectHalves.HalfOf, IsCharged);

    [Theory]
    [InlineData("a group is never halved")]
    [InlineData("one job at a time is taken off")]
    [InlineData("the last two are both charged")]
    [InlineData("nobody is ever charged")]
    [InlineData("all of a group are charged")]
    public void A_rule_that_is_wrong_is_seen(string what) => Assert.ThrowsAny<Exception>(() => Sample(
        what switch
        {
            "a group is never halved" => (_, _) => 0,
            "one job at a time is taken off" => (place, _) => Math.Min(place, 1),
            _ => SuspectHalves.HalfOf,
        },
        what switch
        {
            "the last two are both charged" => causes => causes <= 2,
            "nobody is ever charged" => _ => false,
            "all of a group are charged" => _ => true,
            _ => IsCharged,
        }));

    [Fact]
    public void Jobs_beside_suspects_are_cleared_and_a_slave_that_was_told_to_end_says_nothing()
    {
        Job other = new(null!, new BlockPool()), usual = new(null!, new BlockPool());
        SlaveDeath death = new("id", "cause", []);
        Assert.Equal(LossVerdict.Cleared, new SlaveLoss("id", "cause", 9, 1, 2, death).Of(other));
        Assert.Equal(LossVerdict.Suspected, new SlaveLoss("id", "cause", 9, 1, 2, death).Of(Suspect));
        Assert.Equal(LossVerdict.Charged, new SlaveLoss("id", "cause", 9, 1, 1, death).Of(Suspect));
        Assert.Equal(LossVerdict.Suspected, new SlaveLoss("id", "cause", 9, 0, 0, death).Of(usual));
        Assert.Equal(LossVerdict.Charged, new SlaveLoss("id", "cause", 1, 0, 0, death).Of(usual));
        Assert.Equal(LossVerdict.None, new SlaveLoss("id", "cause", 1, 1, 1, null).Of(Suspect));
    }

    private static bool IsCharged(int causes) =>
        new SlaveLoss("id", "cause", causes, Suspect.SuspectGroup, causes, new SlaveDeath("id", "cause", [])).Of(Suspect) == LossVerdict.Charged;

    private static void Sample(Func<int, int, int> halfOf, Func<int, bool> isCharged) =>
        Gen.Select(Gen.Int[2, 256], Gen.Int[0, 255].Array[0, 6]).Sample((count, killers) =>
        {
            HashSet<int> poisons = [.. killers.Select(killer => killer % count)];
            int[] charges = new int[count], company = new int[count];
            Queue<int[]> groups = new([[.. Enumerable.Range(0, count)]]);
            int rounds = 0;
            while (groups.TryDequeue(out int[]? group))
            {
                Assert.True(++rounds <= 1 + (poisons.Count * ((2 * (int.Log2(count) + 1)) + Deaths)), "too many rounds");
                if (!group.Any(poisons.Contains))
                {
                    continue; // all are answered
                }

                bool isAlone = isCharged(group.Length);
                Array.ForEach(group, job => (isAlone ? charges : company)[job]++);
                int[][] halves = [.. group.Where(job => charges[job] < Deaths).Select((job, place) => (job, half: halfOf(place, group.Length)))
                    .GroupBy(pair => pair.half, pair => pair.job).Select(half => half.ToArray())];
                Array.ForEach(halves, groups.Enqueue);
            }

            for (int job = 0; job < count; job++)
            {
                Assert.Equal(poisons.Contains(job) ? Deaths : 0, charges[job]);
                Assert.InRange(company[job], 0, EngineLimits.MostInCompany);
            }
        }, iter: 2000);
}
