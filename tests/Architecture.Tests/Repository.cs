using System.Text.RegularExpressions;

namespace Cocaine.Fast.Architecture.Tests;

/// <summary>The repository that the tests are of.</summary>
internal static class Repository
{
    /// <summary>Its root.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The projects of <c>src</c>, by name.</summary>
    public static IEnumerable<string> Projects =>
        Directory.GetDirectories(Path.Combine(Root, "src")).Select(folder => Path.GetFileName(folder)!).Order();

    /// <summary>The C# files of a folder and its folders, without what builds make.</summary>
    public static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains("/bin/") && !file.Contains("/obj/"));

    /// <summary>Every Markdown file that is written by hand.</summary>
    public static IEnumerable<string> Documents =>
        Directory.EnumerateFiles(Root, "*.md", SearchOption.AllDirectories)
        .Where(file => !Regex.IsMatch(file[Root.Length..], @"/(bin|obj|artifacts|node_modules|\.[^/]+)/")).Order();

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Cocaine.Fast.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("Cocaine.Fast.sln is in no folder above the tests");
    }
}
