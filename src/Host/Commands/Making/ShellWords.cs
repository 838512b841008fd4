namespace Cocaine.Fast.Host.Commands.Making;

/// <summary>Words of command lines that people paste into a shell.</summary>
internal static class ShellWords
{
    /// <summary>A word in the form that a shell reads as one word, in quotes when necessary.</summary>
    public static string Quoted(string word) => word.Length > 0 && word.All(IsPlain)
        ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>
    /// The folder, quoted, that must be on the PATH so that <c>cocaine-fast</c> is this program; null when it already is.
    /// </summary>
    public static string? PathToSet()
    {
        string own = Path.Combine(AppContext.BaseDirectory, "cocaine-fast");
        string? found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, "cocaine-fast")).FirstOrDefault(File.Exists);
        return found is not null && Real(found) == Real(own) ? null
            : Quoted(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
    }

    private static bool IsPlain(char letter) => char.IsAsciiLetterOrDigit(letter) || "/._-+:@%,".Contains(letter);

    private static string Real(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);
}
