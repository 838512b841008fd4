using System.CommandLine;

namespace Cocaine.Fast.Host.Commands.Shells;

/// <summary>The examples in the help of commands: each command has an example that users can paste.</summary>
internal static class HelpExamples
{
    /// <summary>Adds an example to a command's help.</summary>
    public static Command Example(this Command command, string line)
    {
        command.Description += $"\n\nExample:\n  {line}";
        return command;
    }

    /// <summary>
    /// Cuts the descriptions of a command's subcommands to one clause each, so that the list fits the screen. Each subcommand's own help
    /// has the rest.
    /// </summary>
    public static void ShortenList(Command command)
    {
        foreach (Command below in command.Subcommands)
        {
            string text = (below.Description ?? "").Split("\n\n")[0].Replace('\n', ' ');
            int[] ends = [.. ((string[])[". ", ": ", "; "]).Select(end => text.IndexOf(end, StringComparison.Ordinal)).Where(at => at > 0)];
            below.Description = (ends.Length == 0 ? text : text[..ends.Min()]).TrimEnd('.');
        }
    }
}
