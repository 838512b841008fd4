using Cocaine.Fast.Node.Threading;

namespace Cocaine.Fast.Node.Apps;

/// <summary>A replacement that is not decided yet.</summary>
/// <param name="from">The version that takes jobs meanwhile.</param>
/// <param name="next">The version that comes up.</param>
internal sealed class Replacement(AppVersion from, AppVersion next)
{
    private readonly TaskCompletionSource<ReplaceOutcome> _outcome = new();

    public AppVersion From => from;

    public AppVersion Next => next;

    public Task<ReplaceOutcome> Outcome => _outcome.Task;

    public void Complete(bool replaced, string? reason) => NodeThreads.Complete(_outcome, new ReplaceOutcome(
        from.Manifest.Name, from.Manifest.Version, next.Manifest.Version, replaced, reason, replaced ? from.Gone : Task.CompletedTask));
}
