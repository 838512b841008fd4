using System.CommandLine;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Node.Places;

namespace Cocaine.Fast.Host.Commands.Making;

/// <summary><c>cocaine-fast sdk LANGUAGE</c></summary>
internal static class SdkCommand
{
    public static Command Create()
    {
        Argument<string> language = new("language") { HelpName = "language", Description = "python, perl, javascript, dotnet or cpp" };
        language.AcceptOnlyFromAmong("python", "perl", "javascript", "dotnet", "cpp");
        Command command = new(
            "sdk",
            "Print the folder of a language's SDK, so that Makefiles, projects and editors need no path of a machine."
            + "\n\nExample:\n  c++ -I \"$(cocaine-fast sdk cpp)/include\" app.cpp -o app")
        {
            language,
        };
        command.SetAction(parsed =>
        {
            Console.WriteLine(FolderOf(parsed.GetValue(language)!));
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>Assemblies that .NET apps compile against are beside the program itself.</summary>
    private static string FolderOf(string language) => language == "dotnet"
        ? Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory) : Path.Combine(Folders.Sdk(null), language);
}
