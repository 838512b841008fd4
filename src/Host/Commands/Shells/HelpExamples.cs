using System.CommandLine;

namespace Cocaine.Fast.Host.Commands.Shells;

/// <summary>The examples in the help of commands: each command has an example, which can be pasted.</summary>
internal static class HelpExamples
{
    /// <summary>Adds an example to what the help says.</summary>
    public static Command Example(this Command command, string line)
    {
        command.Description += $"\n\nExample:\n  {line}";
        return command;
    }

    /// <summary>
    /// Cuts what the help of a command says of those below it to a clause each: a list that fits the screen. Each one's own help has
    /// the rest.
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
