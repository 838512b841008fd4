namespace Cocaine.Fast.Cluster.Records;

/// <summary>A change of the way of another version to the nodes.</summary>
internal abstract record RolloutChange : RecordChange
{
    /// <summary>All nodes go back to the manifest before.</summary>
    /// <param name="now">The record.</param>
    /// <param name="plan">The plan of the record.</param>
    private static AppRecord Back(AppRecord now, RolloutPlan plan) =>
        now.With(now.Previous!) with { Previous = null, Rollout = plan with { Stage = RolloutStage.RolledBack } };

    /// <summary>A move of the coordinator, which was decided about one record and holds for no other one.</summary>
    /// <param name="Of">The change that made the record.</param>
    /// <param name="Plan">The next plan.</param>
    internal sealed record Move(string Of, RolloutPlan Plan) : RolloutChange
    {
        /// <inheritdoc/>
        public override bool IsMove => true;

        /// <inheritdoc/>
        public override Decision Decide(AppRecord? now) =>
            now is not { Rollout.Stage: RolloutStage.Rolling, Previous: not null } || now.Change != Of
                ? new(null, "the record was changed meanwhile", MayRetry: true)
                : new(Plan.Stage == RolloutStage.RolledBack ? Back(now, Plan) : now with { Rollout = Plan }, null);
    }

    /// <summary>A person stops the rollout where it is.</summary>
    /// <param name="Reason">The reason in words.</param>
    internal sealed record Stop(string Reason) : RolloutChange
    {
        /// <inheritdoc/>
        public override Decision Decide(AppRecord? now) => now switch
        {
            null or { IsDeleted: true } => NotThere,
            { Rollout: { Stage: RolloutStage.Rolling } plan } =>
                new(now with { Rollout = plan with { Stage = RolloutStage.Stopped, Reason = Reason } }, null),
            _ => new(null, $"no version of app {now.App} is being rolled out"),
        };
    }

    /// <summary>A person lets a rollout that was stopped go on: the nodes that have not proven the version try it again.</summary>
    internal sealed record GoOn : RolloutChange
    {
        /// <inheritdoc/>
        public override Decision Decide(AppRecord? now) => now switch
        {
            null or { IsDeleted: true } => NotThere,
            { Rollout: { Stage: RolloutStage.Stopped } plan } =>
                new(now with { Rollout = plan with { Stage = RolloutStage.Rolling, Reason = null } }, null),
            _ => new(null, $"no rollout of app {now.App} was stopped"),
        };
    }

    /// <summary>A person takes all nodes back to the version before, at once: it has run on all of them.</summary>
    /// <param name="Reason">The reason in words.</param>
    internal sealed record GoBack(string Reason) : RolloutChange
    {
        /// <inheritdoc/>
        public override Decision Decide(AppRecord? now) => now switch
        {
            null or { IsDeleted: true } => NotThere,
            { Rollout: { } plan, Previous: not null } => new(Back(now, plan with { Reason = Reason }), null),
            _ => new(null, $"no version before the present one of app {now.App} is known"),
        };
    }
}
