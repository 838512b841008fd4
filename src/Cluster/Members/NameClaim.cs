namespace Cocaine.Fast.Cluster.Members;

/// <summary>The outcome of a node's claim of its name.</summary>
internal enum ClaimOutcome
{
    /// <summary>The record of the name is this node's: write it.</summary>
    Take,

    /// <summary>Another node that lives has the name: serve locally, say so, and claim again later.</summary>
    StayOut,

    /// <summary>A node that is gone had the name: it must be removed first, or taken over.</summary>
    AskUser,

    /// <summary>A copy of this node has started after it: leave the cluster, go on serving, stay out until the next start.</summary>
    Leave,
}

/// <summary>Decides about a node's name, by the record that the engine has of the name.</summary>
internal static class NameClaim
{
    /// <summary>
    /// A node that was not heard for longer is gone. Six heartbeats of half a second: the loss of some, or a slow machine, is no death.
    /// </summary>
    public const long AliveMs = 3000;

    /// <summary>The outcome for this node.</summary>
    /// <param name="self">This node.</param>
    /// <param name="known">The engine's record of the name; null when nobody has it.</param>
    /// <param name="heardAgoMs">When the node of the record was last heard, ms ago; null when never in this session.</param>
    /// <param name="mayTakeOver">Whether the user allows to take the name of a node that is gone.</param>
    public static ClaimOutcome Decide(Member self, Member? known, long? heardAgoMs, bool mayTakeOver)
    {
        if (known is null || known.Uuid == self.Uuid)
        {
            return known is not null && known.Incarnation > self.Incarnation ? ClaimOutcome.Leave : ClaimOutcome.Take;
        }

        return heardAgoMs <= AliveMs ? ClaimOutcome.StayOut : mayTakeOver ? ClaimOutcome.Take : ClaimOutcome.AskUser;
    }
}
