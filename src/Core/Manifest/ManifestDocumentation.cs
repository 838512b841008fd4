using System.Text;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>The tables of docs/manifest.md, made from the same tables that check manifests.</summary>
internal static class ManifestDocumentation
{
    /// <summary>All tables as Markdown.</summary>
    public static string Tables(DriverTable drivers)
    {
        StringBuilder text = new();
        KeyTable.Write(text, "## The whole", ManifestKeys.Top);
        KeyTable.Write(text, "## args, as an object", ManifestKeys.Args);
        KeyTable.Write(text, "## engine", ManifestKeys.Engine);
        KeyTable.Write(text, "## isolation", IsolationKeys.All);
        KeyTable.Write(text, "## pubsub", ManifestKeys.Pubsub);
        KeyTable.Write(text, "## cluster", ManifestKeys.Cluster);
        KeyTable.Write(text, "## cluster.rollout", ManifestKeys.Rollout);
        text.Append("## tasks.X\n\nEach task has a `type`, the driver, and the driver's keys.\n\n");
        foreach (string name in drivers.Names)
        {
            DriverSpec driver = drivers.Find(name)!;
            if (driver.Type != name)
            {
                text.Append($"### {name}\n\nAnother name of {driver.Type}.\n\n");
            }
            else
            {
                KeyTable.Write(text, $"### {name}", driver.Keys);
            }
        }

        return text.ToString();
    }
}
