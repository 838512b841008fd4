using Cocaine.Fast.Cluster.Members;

namespace Cocaine.Fast.Cluster.Tests.Members;

/// <summary>Two nodes with one name, and copies of a node.</summary>
public class NameClaimTests
{
    private static readonly Member Self = new("mine", "a") { Incarnation = 5 };

    [Fact]
    public void A_free_name_and_the_own_one_are_taken()
    {
        Assert.Equal(ClaimOutcome.Take, NameClaim.Decide(Self, null, null, mayTakeOver: false));
        Assert.Equal(ClaimOutcome.Take, NameClaim.Decide(Self, Self with { Incarnation = 4 }, 0, mayTakeOver: false));
        Assert.Equal(ClaimOutcome.Take, NameClaim.Decide(Self, Self, 0, mayTakeOver: false));
    }

    [Theory]
    [InlineData(2999L, true, ClaimOutcome.StayOut)]
    [InlineData(3001L, false, ClaimOutcome.AskUser)]
    [InlineData(null, false, ClaimOutcome.AskUser)]
    [InlineData(3001L, true, ClaimOutcome.Take)]
    internal void The_name_of_another_node_is_taken_over_only_from_the_dead(long? heardAgoMs, bool mayTakeOver, ClaimOutcome expected) =>
        Assert.Equal(expected, NameClaim.Decide(Self, new Member("other", "a"), heardAgoMs, mayTakeOver));

    [Fact]
    public void The_older_of_two_copies_of_a_node_leaves() =>
        Assert.Equal(ClaimOutcome.Leave, NameClaim.Decide(Self, Self with { Incarnation = 6 }, 0, mayTakeOver: true));
}
