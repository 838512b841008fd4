namespace Cocaine.Fast.Core.Security;

/// <summary>The methods of control that rules can grant, one by one.</summary>
internal static class ControlVerbs
{
    /// <summary>Stands for all of them.</summary>
    public const string Every = "*";

    /// <summary>The names; <c>version</c> is free for everybody whom the door lets in.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        "create", "replace", "restart", "delete", "pause", "resume", "info", "list", "logs", "events", "scale", "quarantine", "cluster",
        "rollout", "publish", "code", "metrics", "stats",
    ];
}
