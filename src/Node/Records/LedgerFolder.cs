using Cocaine.Fast.Node.Places;
using Cocaine.Fast.Transport.SharedMemory;
using Cocaine.Fast.Transport.Trust;

namespace Cocaine.Fast.Node.Records;

/// <summary>The place of the ledgers: the node that writes and the command that reads must agree on it.</summary>
internal static class LedgerFolder
{
    private const string Suffix = ".ledger";
    private const string SharedMemory = "/dev/shm";

    /// <summary>
    /// The default folder; null when the machine has no file system in memory for it. On a disk, write-back would hold up the request path
    /// now and then.
    /// </summary>
    public static string? Default()
    {
        string runtime = Folders.Runtime(ofUnit: false);
        return IsInMemory(Path.GetDirectoryName(runtime)!) ? Path.Combine(runtime, "ledger")
            : IsInMemory(SharedMemory) ? Path.Combine(SharedMemory, $"cocaine-fast-{Environment.UserName}")
            : null;
    }

    public static string FileOf(string folder, string app) => Path.Combine(folder, app + Suffix);

    /// <summary>The ledgers of a folder by their apps.</summary>
    public static IEnumerable<(string App, string Path)> List(string folder) => Directory.EnumerateFiles(folder, "*" + Suffix)
        .Select(path => (Path.GetFileName(path)[..^Suffix.Length], path)).OrderBy(pair => pair.Item1, StringComparer.Ordinal);

    /// <summary>Ledgers that were set aside because they could not be used further.</summary>
    public static IEnumerable<string> ListAside(string folder) => Directory.EnumerateFiles(folder, "*" + Suffix + LedgerFile.AsideSuffix);

    /// <summary>Makes the folder, for this user alone.</summary>
    /// <exception cref="IOException">
    /// Others can change the folder's content; where everybody may write, the folder may be a trap.
    /// </exception>
    public static void Make(string folder) => PrivateFolder.Make(folder);

    private static bool IsInMemory(string folder)
    {
        try
        {
            return Directory.Exists(folder) && new DriveInfo(folder).DriveFormat is "tmpfs" or "ramfs";
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
