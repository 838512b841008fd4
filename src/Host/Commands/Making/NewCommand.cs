using System.CommandLine;
using System.Globalization;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Host.Terminal;

namespace Cocaine.Fast.Host.Commands.Making;

/// <summary><c>cocaine-fast new LANGUAGE NAME</c>: a folder with a small app, its manifest and its test.</summary>
internal static class NewCommand
{
    /// <summary>The next steps with a new app, one command in each line; the file is printed, not copied.</summary>
    private const string NextSteps = "NEXT";

    /// <summary>The folder with a template for each language, beside the program.</summary>
    private static readonly string Templates = Path.Combine(AppContext.BaseDirectory, "templates");

    public static Command Create()
    {
        string[] languages = Languages();
        Argument<string> language = new("language") { HelpName = "language", Description = string.Join(", ", languages) };
        language.CompletionSources.Add(languages);
        Argument<string> name = new("name") { Description = "The app's name, or a path that ends with it: the folder to make" };
        Command command = new(
            "new", "Make a folder with a small app, its manifest and its test.\n\nExample:\n  cocaine-fast new python my-app")
        {
            language, name,
        };
        command.SetAction(parsed => Run(parsed.GetValue(language)!, parsed.GetValue(name)!));
        return command;
    }

    private static string[] Languages() => Directory.Exists(Templates)
        ? [.. Directory.GetDirectories(Templates).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)] : [];

    private static int Run(string language, string folder)
    {
        string[] languages = Languages();
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
        string? mistake = !languages.Contains(language)
            ? $"'{language}' is no language of apps: {string.Join(", ", languages)}"
            : !KeyReader.IsAppName(name) ? $"'{name}' is no app name: a-z, 0-9, '.', '_' and '-', at most 64 characters"
            : Path.Exists(folder) ? $"{folder} is there already; nothing was written" : null;
        if (mistake is not null)
        {
            Complaint.Say(mistake);
            return ExitCodes.Invalid;
        }

        try
        {
            Write(Path.Combine(Templates, language), folder, name);
            return ExitCodes.Ok;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Complaint.Say(failure.Message);
            return ExitCodes.Failed;
        }
    }

    private static void Write(string template, string folder, string name)
    {
        string port = AppPort.For(name).ToString(CultureInfo.InvariantCulture);
        string Filled(string file) => File.ReadAllText(file).Replace("__NAME__", name, StringComparison.Ordinal)
            .Replace("__FOLDER__", ShellWords.Quoted(folder), StringComparison.Ordinal)
            .Replace("__PORT__", port, StringComparison.Ordinal);

        foreach (string file in Directory.EnumerateFiles(template, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            string relative = Path.GetRelativePath(template, file);
            if (relative == NextSteps)
            {
                continue;
            }

            string target = Path.Combine(folder, relative);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.WriteAllText(target, Filled(file));
            Console.WriteLine($"made {target}");
        }

        Console.WriteLine("\nNext:");
        string? onPath = ShellWords.PathToSet();
        if (onPath is not null)
        {
            Console.WriteLine($"  export PATH={onPath}:\"$PATH\"");
        }

        foreach (string line in Filled(Path.Combine(template, NextSteps)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Console.WriteLine($"  {line}");
        }

        Console.WriteLine("\nand, while it runs, in another terminal:");
        string program = onPath is null ? "cocaine-fast" : $"{onPath}/cocaine-fast";
        Console.WriteLine($"  {program} call tcp://127.0.0.1:{port} hello --data you");
    }
}
