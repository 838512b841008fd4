using System.Text;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>The tables of docs/manifest.md, made from the same tables that check manifests.</summary>
internal static class ManifestDocumentation
{
    /// <summary>All tables as Markdown.</summary>
    public static string Tables()
    {
        StringBuilder text = new();
        text.Append("## The whole\n\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n");
        foreach ((string name, string type, string fallback, string meaning) in ManifestKeys.Top)
        {
            text.Append($"| `{name}` | {type} | {fallback} | {meaning} |\n");
        }

        text.Append("\n## engine\n\n");
        Table(text, ManifestKeys.Engine);
        text.Append("\n## tasks.X\n\nEach task has a `type`, the driver, and the driver's keys.\n");
        foreach ((string driver, IReadOnlyList<KeySpec> specs) in ManifestKeys.Drivers)
        {
            text.Append($"\n### {driver}\n\n");
            if (specs.Count == 0)
            {
                text.Append("No keys.\n");
            }
            else
            {
                Table(text, specs);
            }
        }

        return text.ToString();
    }

    private static void Table(StringBuilder text, IReadOnlyList<KeySpec> specs)
    {
        text.Append("| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
        foreach (KeySpec spec in specs)
        {
            text.Append($"| `{spec.Name}` | {spec.Expected} | {spec.Default} | {spec.Meaning} |\n");
        }
    }
}
