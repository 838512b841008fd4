namespace Cocaine.Fast.Host.Commands.Making;

/// <summary>Words of command lines that are printed to be pasted into a shell.</summary>
internal static class ShellWords
{
    /// <summary>A word as a shell reads it as one, in quotes when it needs them.</summary>
    public static string Quoted(string word) => word.Length > 0 && word.All(IsPlain)
        ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>
    /// The folder, quoted, that has to go onto the PATH for <c>cocaine-fast</c> to be this program; null when it is already.
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
