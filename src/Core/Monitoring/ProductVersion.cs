using System.Reflection;

namespace Cocaine.Fast.Core.Monitoring;

/// <summary>
/// The version of this program, the same wherever it is shown: <c>0.1.0+1a2b3c4</c>, the release and the commit of the build.
/// </summary>
internal static class ProductVersion
{
    /// <summary>Digits of a commit that identify it in a repository of this size, as git shortens it.</summary>
    private const int CommitDigits = 7;

    /// <summary>The version.</summary>
    public static string Text { get; } = Shortened(
        typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0");

    /// <summary>A version with its commit cut to a few digits; a version without a commit stays as it is.</summary>
    public static string Shortened(string version)
    {
        int plus = version.IndexOf('+', StringComparison.Ordinal);
        return plus < 0 ? version : version[..Math.Min(version.Length, plus + 1 + CommitDigits)];
    }
}
