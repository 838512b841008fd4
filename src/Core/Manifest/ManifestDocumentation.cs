using System.Text;
using Cocaine.Fast.Core.Configuration;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>The tables of docs/manifest.md and docs/node.md, made from the same tables that check manifests and configs.</summary>
internal static class ManifestDocumentation
{
    /// <summary>All tables of a manifest as Markdown.</summary>
    public static string Tables()
    {
        StringBuilder text = new();
        Section(text, "## The whole", ManifestKeys.Top);
        Section(text, "## args, as an object", ManifestKeys.Args);
        Section(text, "## engine", ManifestKeys.Engine);
        Section(text, "## isolation", IsolationKeys.All);
        Section(text, "## pubsub", ManifestKeys.Pubsub);
        text.Append("## tasks.X\n\nEach task has a `type`, the driver, and the driver's keys.\n\n");
        foreach ((string driver, IReadOnlyList<KeySpec> specs) in ManifestKeys.Drivers)
        {
            if (ManifestKeys.Aliases.TryGetValue(driver, out string? meant))
            {
                text.Append($"### {driver}\n\nAnother name of {meant}.\n\n");
            }
            else
            {
                Section(text, $"### {driver}", specs);
            }
        }

        return text.ToString();
    }

    /// <summary>The tables of a config as Markdown.</summary>
    public static string ConfigTables()
    {
        StringBuilder text = new();
        Section(text, "### The whole", ConfigKeys.Top);
        Section(text, "### control", ConfigKeys.Control);
        Section(text, "### log", ConfigKeys.Log);
        return text.Append(EnvironmentNames.Table()).ToString();
    }

    private static void Section(StringBuilder text, string heading, IReadOnlyList<KeySpec> specs)
    {
        text.Append($"{heading}\n\n");
        if (specs.Count == 0)
        {
            text.Append("No keys.\n\n");
            return;
        }

        text.Append("| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
        foreach (KeySpec spec in specs)
        {
            text.Append($"| `{spec.Name}` | {spec.Expected} | {spec.Default} | {spec.Meaning} |\n");
        }

        text.Append('\n');
    }
}
