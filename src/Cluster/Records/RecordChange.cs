namespace Cocaine.Fast.Cluster.Records;

/// <summary>
/// A change of an app that a person asks for. The change is decided anew on each record that it meets, so that of two people who change an
/// app at once one is told.
/// </summary>
internal abstract record RecordChange
{
    /// <summary>The app's next record, or the reason against it in words. The writer sets its age and its names.</summary>
    /// <param name="now">The app's record, which may be a tombstone; null when there was none.</param>
    public abstract Decision Decide(AppRecord? now);

    /// <summary>A record, or the reason why there is none.</summary>
    /// <param name="Next">The app's next record; null with a reason.</param>
    /// <param name="Reason">The reason against the change; null with a record.</param>
    /// <param name="MayRetry">Whether the change may be tried again later.</param>
    internal readonly record struct Decision(AppRecord? Next, string? Reason, bool MayRetry = false);

    /// <summary>Whether this is a move of the coordinator within a generation, and no change by a person.</summary>
    public virtual bool IsMove => false;

    /// <summary>The app is new in the cluster.</summary>
    /// <param name="App">The name.</param>
    /// <param name="Version">The version of the manifest.</param>
    /// <param name="Manifest">The text of the manifest.</param>
    /// <param name="Code">SHA-256 of the packed code; null without.</param>
    internal sealed record Create(string App, int Version, string Manifest, string? Code) : RecordChange
    {
        /// <summary>The path of the manifest's file.</summary>
        public string Path { get; init; } = "";

        /// <inheritdoc/>
        public override Decision Decide(AppRecord? now) => now is { IsDeleted: false }
            ? new(null, $"app '{App}' is in the cluster already, created or changed at node {now.By}; replace changes it")
            : new(New with { Made = (now?.Generation ?? 0) + 1 }, null);

        private AppRecord New => new()
        {
            App = App,
            Generation = 0,
            Change = "",
            By = "",
            Version = Version,
            Manifest = Manifest,
            Path = Path,
            Code = Code,
        };
    }

    /// <summary>Another version of the app, rolled over the nodes.</summary>
    /// <param name="Version">The version of the new manifest.</param>
    /// <param name="Manifest">The text of the new manifest.</param>
    /// <param name="Code">SHA-256 of the packed code; null without.</param>
    /// <param name="IsForced">Whether a version that is not higher is taken too.</param>
    internal sealed record Replace(int Version, string Manifest, string? Code, bool IsForced) : RecordChange
    {
        /// <summary>The path of the manifest's file.</summary>
        public string Path { get; init; } = "";

        /// <inheritdoc/>
        public override Decision Decide(AppRecord? now) => now switch
        {
            null or { IsDeleted: true } => NotThere,
            { Rollout: { Stage: RolloutStage.Rolling } plan } => new(null,
                $"version {plan.To} is being rolled out since the change at node {now.By}: wait, or 'app rollout {now.App} --stop'",
                MayRetry: true),
            _ when Version <= now.Version && !IsForced => new(null,
                $"version {Version} is not higher than {now.Version}, which was set at node {now.By}; --force takes it"),
            _ => new(now with
            {
                Version = Version,
                Manifest = Manifest,
                Path = Path,
                Code = Code,
                Made = now.Generation + 1,
                Previous = Before(now),
                Rollout = new RolloutPlan(Before(now).Version, Version, [], []),
            }, null),
        };

        /// <summary>The manifest that all nodes ran last: one whose rollout was stopped is none.</summary>
        private static AppRelease Before(AppRecord now) =>
            now is { Rollout.Stage: RolloutStage.Stopped, Previous: { } previous } ? previous : now.Release;
    }

    /// <summary>The app goes from all nodes, also from those that are away.</summary>
    internal sealed record Delete : RecordChange
    {
        /// <inheritdoc/>
        public override Decision Decide(AppRecord? now) => now is null or { IsDeleted: true } ? NotThere
            : new(now with
            {
                IsDeleted = true,
                Manifest = "",
                Path = "",
                Code = null,
                Rollout = null,
                Previous = null,
                IsPaused = false,
            }, null);
    }

    /// <summary>The app takes no jobs on any node, or takes them again.</summary>
    /// <param name="IsPaused">Whether it is to be paused.</param>
    internal sealed record Pause(bool IsPaused) : RecordChange
    {
        /// <inheritdoc/>
        public override Decision Decide(AppRecord? now) =>
            now is null or { IsDeleted: true } ? NotThere : new(now with { IsPaused = IsPaused }, null);
    }

    private protected static Decision NotThere => new(null, "no such app in the cluster");
}
