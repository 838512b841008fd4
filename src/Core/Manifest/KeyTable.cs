using System.Text;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>A table of keys as Markdown, for the documentation.</summary>
internal static class KeyTable
{
    /// <summary>Writes a heading and the table below it.</summary>
    public static void Write(StringBuilder text, string heading, IReadOnlyList<KeySpec> specs)
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
