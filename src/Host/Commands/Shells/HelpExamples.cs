using System.CommandLine;

namespace Cocaine.Fast.Host.Commands.Shells;

/// <summary>Examples in the help of commands: each has one, which can be pasted.</summary>
internal static class HelpExamples
{
    /// <summary>Adds an example to what the help says.</summary>
    public static Command Example(this Command command, string line)
    {
        command.Description += $"\n\nExample:\n  {line}";
        return command;
    }
}
