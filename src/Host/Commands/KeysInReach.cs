using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Host.Commands;

/// <summary>
/// The apps of a config whose code runs as the node's user, although the node has keys or rules. The keys are files of this user, and its
/// processes control the node, whatever the rules say. An app needs a user of its own to be kept from both.
/// </summary>
internal static class KeysInReach
{
    /// <summary>A warning for each app that runs with the node's power.</summary>
    public static IEnumerable<string> Of(NodeConfig config, IEnumerable<AppManifest> apps) => ReachOf(config.Security) is not { } reach ? []
        : apps.Where(app => app.Isolation?.User is null).Select(app => Warning(app, reach));

    /// <summary>The power of the node's user; null when the config has nothing that it would give away.</summary>
    private static string? ReachOf(SecurityConfig security) => (HasKeys(security), security.HasRules) switch
    {
        (true, true) => "can read the node's keys, and control the node without a rule",
        (true, false) => "can read the node's keys",
        (false, true) => "can control the node without a rule",
        _ => null,
    };

    private static bool HasKeys(SecurityConfig security) => security.Tls is not null || security.KeysFolder is not null;

    private static string Warning(AppManifest app, string reach) => app.Engine.Backend == BackendType.Thread
        ? $"{app.FilePath}: warning: $.engine.backend: {app.Name} runs in threads of the node, so its code {reach}: use "
            + "\"backend\": \"process\" with isolation.user for code that must not; see docs/security.md"
        : $"{app.FilePath}: warning: $.isolation.user: without it the workers of {app.Name} run as the node's user, which {reach}: name a "
            + "user for them; see docs/security.md";
}
