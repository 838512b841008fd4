namespace Cocaine.Fast.Core.Manifest;

/// <summary>The JSON schema of manifests, made from the same tables that check them.</summary>
internal static class ManifestSchema
{
    private static readonly Dictionary<string, IReadOnlyList<KeySpec>> Sections = new()
    {
        ["args"] = ManifestKeys.Args,
        ["cluster"] = ManifestKeys.Cluster,
        ["engine"] = ManifestKeys.Engine,
        ["isolation"] = IsolationKeys.All,
        ["pubsub"] = ManifestKeys.Pubsub,
        ["rollout"] = ManifestKeys.Rollout,
    };

    /// <summary>The schema as text.</summary>
    public static string Write(DriverTable drivers)
    {
        SchemaWriter writer = new(Sections, [.. drivers.Names.Select(name => (name, drivers.Find(name)!.Keys))]);
        return writer.Write("cocaine-fast manifest", ManifestKeys.Top);
    }
}
