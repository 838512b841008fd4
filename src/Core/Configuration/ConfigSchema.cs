using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Configuration;

/// <summary>The JSON schema of a node's config, made from the same tables that check it.</summary>
internal static class ConfigSchema
{
    private static readonly Dictionary<string, IReadOnlyList<KeySpec>> Sections = new()
    {
        ["cluster"] = ClusterKeys.Top,
        ["control"] = ConfigKeys.Control,
        ["engine-tls"] = ClusterKeys.Tls,
        ["engine"] = ManifestKeys.Engine,
        ["log"] = ConfigKeys.Log,
        ["security"] = SecurityKeys.Top,
        ["tls"] = SecurityKeys.Tls,
        ["names"] = SecurityKeys.TlsName,
        ["identities"] = SecurityKeys.Identity,
        ["rights"] = SecurityKeys.Rule,
        ["web"] = WebKeys.Top,
    };

    /// <summary>The schema as text.</summary>
    public static string Write() => new SchemaWriter(Sections, tasks: []).Write("cocaine-fast config", ConfigKeys.Top);
}
