using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Cluster.Code;

/// <summary>
/// Packs the code of an app: a tar archive, compressed by gzip, of a folder's files in the order of their paths. Times and owners are
/// left out, so the same files make the same archive, and the archive is named by its SHA-256.
/// </summary>
internal static class CodePack
{
    private const UnixFileMode ReadByAll = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode RunByAll = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Packs a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="target">Takes the archive; it is read again for the name.</param>
    /// <param name="mostBytes">The most bytes of the archive.</param>
    /// <returns>The SHA-256 of the archive, in hexadecimal.</returns>
    /// <exception cref="CodeException">The folder cannot be packed.</exception>
    public static string Write(string folder, Stream target, long mostBytes = ClusterConfig.LargestMostCodeBytes)
    {
        if (!Directory.Exists(folder))
        {
            throw new CodeException($"{folder} is no folder");
        }

        try
        {
            List<FileSystemInfo> entries = [];
            Collect(new DirectoryInfo(folder), folder, IgnoreRules.Of(folder), entries);
            HashSet<string> links = [.. entries.Where(IsLink).Select(entry => PathIn(folder, entry))];
            using (GZipStream gzip = new(target, CompressionLevel.Optimal, leaveOpen: true))
            using (TarWriter tar = new(gzip, TarEntryFormat.Gnu))
            {
                long bytes = 0;
                foreach (FileSystemInfo entry in entries.OrderBy(entry => PathIn(folder, entry), StringComparer.Ordinal))
                {
                    bytes += entry is FileInfo { LinkTarget: null } file ? file.Length : 0;
                    Check(target.Length, bytes, mostBytes);
                    Add(tar, entry, PathIn(folder, entry), links);
                }
            }

            Check(target.Length, 0, mostBytes);
            target.Position = 0;
            return Convert.ToHexStringLower(SHA256.HashData(target));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CodeException($"the code in {folder} cannot be packed: {failure.Message}", failure);
        }
    }

    private static void Check(long packed, long bytes, long mostBytes)
    {
        if (packed > mostBytes || bytes > mostBytes * CodeLimits.MostGrowth)
        {
            throw new CodeException(
                $"the code is larger than {mostBytes >> 20} MiB: {IgnoreRules.FileName} in its folder names files that stay out, a pattern "
                + "a line");
        }
    }

    private static void Collect(DirectoryInfo folder, string root, IgnoreRules rules, List<FileSystemInfo> entries)
    {
        foreach (FileSystemInfo entry in folder.EnumerateFileSystemInfos())
        {
            bool isFolder = entry is DirectoryInfo && !IsLink(entry);
            string path = PathIn(root, entry);
            if (rules.Ignores(path, isFolder))
            {
                continue;
            }

            if (path.Length > CodeLimits.LongestPath)
            {
                throw new CodeException($"{path} has more than {CodeLimits.LongestPath} characters");
            }

            entries.Add(entry);
            if (entries.Count > CodeLimits.MostEntries)
            {
                throw new CodeException($"{root} has more than {CodeLimits.MostEntries} files: {IgnoreRules.FileName} keeps files out");
            }

            if (isFolder)
            {
                Collect((DirectoryInfo)entry, root, rules, entries);
            }
        }
    }

    private static void Add(TarWriter tar, FileSystemInfo entry, string path, HashSet<string> links)
    {
        if (entry.LinkTarget is { } target)
        {
            LinkTarget.Check(path, target, links);
            tar.WriteEntry(Plain(new GnuTarEntry(TarEntryType.SymbolicLink, path) { LinkName = target }, ReadByAll | RunByAll));
        }
        else if (entry is DirectoryInfo)
        {
            tar.WriteEntry(Plain(new GnuTarEntry(TarEntryType.Directory, path + "/"), ReadByAll | RunByAll));
        }
        else if (!FileStatus.TryRead(entry.FullName, out FileStatus status) || !status.IsPlain)
        {
            throw new CodeException($"{path} is neither a file, a folder nor a link: {IgnoreRules.FileName} keeps it out");
        }
        else
        {
            using FileStream data = new(entry.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            bool runs = (status.Mode & UnixFileMode.UserExecute) != 0;
            GnuTarEntry file = Plain(new GnuTarEntry(TarEntryType.RegularFile, path), runs ? ReadByAll | RunByAll : ReadByAll);
            file.DataStream = data;
            tar.WriteEntry(file);
        }
    }

    private static GnuTarEntry Plain(GnuTarEntry entry, UnixFileMode mode)
    {
        entry.Mode = mode;
        entry.ModificationTime = DateTimeOffset.UnixEpoch;
        return entry;
    }

    private static bool IsLink(FileSystemInfo entry) => entry.LinkTarget is not null;

    private static string PathIn(string folder, FileSystemInfo entry) => Path.GetRelativePath(folder, entry.FullName);
}
