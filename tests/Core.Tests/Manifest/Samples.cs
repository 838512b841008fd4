using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;

namespace Cocaine.Fast.Core.Tests.Manifest;

/// <summary>The manifests of tests/manifests.</summary>
internal static class Samples
{
    public static string Folder { get; } = Path.Combine(RepositoryRoot.Path, "tests", "manifests");

    public static string Text(string name) => File.ReadAllText(Path.Combine(Folder, name));

    public static ManifestResult Read(string name) => ManifestReader.ReadFile(Path.Combine(Folder, name));

    /// <summary>The problems of a sample without the file's name.</summary>
    public static IEnumerable<string> Problems(string name) =>
        Read(name).Problems.Select(problem => problem.ToString()[(Path.Combine(Folder, name).Length + 1)..]);
}
