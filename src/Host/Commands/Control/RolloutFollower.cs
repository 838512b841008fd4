using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Commands.Control;

/// <summary>The end of a rollout, or of the wait for it.</summary>
/// <param name="State">The state of the rollout.</param>
/// <param name="Reason">Why not all nodes have the version; null when they have, or need not yet.</param>
internal sealed record RolloutEnd(string State, string? Reason);

/// <summary>Looks at a rollout until its end, and prints a line for each node that has proven the version.</summary>
internal static class RolloutFollower
{
    /// <summary>How often the command looks: nodes tell their states twice a second.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    /// <summary>How long the command waits for nodes that go back: as long as a version may take to start.</summary>
    private const long LongestWayBackMs = 60_000;

    /// <summary>How long it waits for the last words of nodes that have the version: the coordinator may hear them first.</summary>
    private const long LongestWordMs = 5_000;

    /// <summary>Follows a rollout. An interrupted command says that the rollout goes on.</summary>
    /// <param name="node">The node.</param>
    /// <param name="outcome">The rollout.</param>
    /// <param name="untilOne">Whether one node that has proven the version is enough.</param>
    /// <param name="isSilent">Whether no lines are printed.</param>
    /// <param name="stop">The user leaves.</param>
    public static async Task<RolloutEnd> FollowAsync(
        NodeControlClient node, ReplaceOutcome outcome, bool untilOne, bool isSilent, CancellationToken stop)
    {
        HashSet<string> told = [];
        bool saidAway = false;
        long? endSinceMs = null;
        try
        {
            while (true)
            {
                ClusterAppAnswer app = await node.RolloutAsync(outcome.App, "show", stop);
                if (app.Rollout is not { } rollout || rollout.To != outcome.ToVersion)
                {
                    return new RolloutEnd("gone", "the app was changed meanwhile");
                }

                bool isDone = rollout.State == "done";
                IEnumerable<ClusterAppNode> proven = app.Nodes.Where(one => one.Rollout == "proven" || (isDone && one.IsCurrent));
                foreach (ClusterAppNode one in proven.Where(one => told.Add(one.Node)))
                {
                    if (!isSilent)
                    {
                        Console.WriteLine($"replaced app={app.App} node={PlainText.OneLine(one.Node)} version={one.Version}");
                    }
                }

                if (!app.IsAttached && !saidAway)
                {
                    saidAway = true;
                    Complaint.Say("the cluster's engine cannot be reached: the rollout stands still until it is back");
                }

                endSinceMs ??= isDone || rollout.State == "rolled-back" ? Environment.TickCount64 : null;
                long waitMs = isDone ? LongestWordMs : LongestWayBackMs;
                bool isSettled = app.Nodes.All(one => one.IsCurrent || one.State is "down" or "taken")
                    || Environment.TickCount64 - endSinceMs > waitMs;
                if ((endSinceMs is not null && isSettled) || (untilOne && told.Count > 0) || rollout.State == "stopped")
                {
                    bool isGood = isDone || rollout.State == "rolling";
                    return new RolloutEnd(rollout.State, isGood ? null : rollout.Reason ?? "no reason is known");
                }

                await Task.Delay(Look, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Complaint.Say($"the rollout goes on: 'app rollout {outcome.App}' shows it, and its --stop stops it");
            throw;
        }
    }
}
