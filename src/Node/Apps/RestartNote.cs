using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Node.Apps;

/// <summary>A note about changes that a restart does not pick up, although people may expect it.</summary>
internal static class RestartNote
{
    /// <summary>How a changed manifest file takes effect when nobody reads it by itself.</summary>
    public const string ByReplace = "'app replace' takes it";

    /// <summary>How a changed file takes effect for an app that the config of a daemon names.</summary>
    public const string ByHangUp = "a SIGHUP takes it";

    /// <summary>A note on a restart of this manifest, or null.</summary>
    public static string? Of(AppManifest manifest, string howToTakeFile = ByReplace)
    {
        if (manifest is { Type: AppType.Cpp, Engine.Backend: BackendType.Thread })
        {
            return $"{manifest.Code.Source} is in the node's own process and stays: give new code another path, and replace the app";
        }

        return HasChanged(manifest)
            ? $"{manifest.FilePath} has changed since; a restart keeps the manifest that runs: {howToTakeFile}" : null;
    }

    /// <summary>The file of a created app may be gone: that is no change.</summary>
    private static bool HasChanged(AppManifest manifest) => manifest is { FilePath: { } path, TextSha256: { } digest }
        && File.Exists(path) && JsonText.ReadFile(path, "manifest", out _) is { } text && AppManifest.DigestOf(text) != digest;
}
