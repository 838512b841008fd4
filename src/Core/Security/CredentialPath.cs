namespace Cocaine.Fast.Core.Security;

/// <summary>
/// Paths of secrets. Such a path may begin with <c>${CREDENTIALS_DIRECTORY}</c>: systemd's folder of the credentials that a unit loads
/// (systemd.exec(5), LoadCredential=).
/// </summary>
public static class CredentialPath
{
    private const string Prefix = "${CREDENTIALS_DIRECTORY}/";

    /// <summary>The path leads into systemd's folder.</summary>
    public static bool IsCredential(string path) => path.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>The file lies in systemd's folder.</summary>
    /// <param name="file">An absolute path.</param>
    /// <param name="folder">systemd's folder; null = the node has none.</param>
    public static bool IsWithin(string file, string? folder) =>
        folder is not null && Path.GetDirectoryName(file) == Path.TrimEndingDirectorySeparator(folder);

    /// <summary>The path with systemd's folder in place of its name; any other path as it is.</summary>
    /// <param name="path">The path of a secret.</param>
    /// <param name="folder">systemd's folder; null = the node has none.</param>
    /// <exception cref="IOException">The node has no such folder; the text says how it gets one.</exception>
    public static string Expand(string path, string? folder)
    {
        if (!IsCredential(path))
        {
            return path;
        }

        string name = path[Prefix.Length..];
        return folder is not null ? Path.Combine(folder, name) : throw new IOException(
            $"{path}: CREDENTIALS_DIRECTORY is not set: add LoadCredential={name}:FILE to the node's unit, or give a path");
    }
}
