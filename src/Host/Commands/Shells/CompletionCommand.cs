using System.CommandLine;
using Cocaine.Fast.Host.Terminal;

namespace Cocaine.Fast.Host.Commands.Shells;

/// <summary><c>cocaine-fast completion SHELL</c></summary>
internal static class CompletionCommand
{
    public static Command Create()
    {
        Argument<string> shell = new("shell") { HelpName = "shell", Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        Command command = new(
            "completion",
            "Print a script by which a shell completes commands, options, their values, and the names of the apps that run.\n\nExamples:\n"
            + "  source <(cocaine-fast completion bash)\n"
            + "  cocaine-fast completion zsh > ~/.zfunc/_cocaine-fast\n"
            + "  cocaine-fast completion fish > ~/.config/fish/completions/cocaine-fast.fish")
        {
            shell,
        };
        command.SetAction(parsed =>
        {
            Console.Out.Write(CompletionScripts.Of(parsed.GetValue(shell)!));
            return ExitCodes.Ok;
        });
        return command;
    }
}
