using System.Formats.Tar;
using System.IO.Compression;

namespace Cocaine.Fast.Cluster.Code;

/// <summary>
/// Unpacks the code of an app. An archive comes from another machine and is hostile until each entry has been checked: paths stay within
/// the folder, no entry replaces another, nothing is written through a link, and sizes and counts have bounds.
/// </summary>
internal static class CodeUnpack
{
    private const UnixFileMode FolderMode = FileMode | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Unpacks into a folder that is empty.</summary>
    /// <param name="archive">The archive.</param>
    /// <param name="folder">The folder; nobody else writes into it.</param>
    /// <param name="mostBytes">The most bytes of all files together.</param>
    /// <exception cref="CodeException">The archive is not good; the folder may have a part of it.</exception>
    public static void Into(Stream archive, string folder, long mostBytes)
    {
        try
        {
            using GZipStream gzip = new(archive, CompressionMode.Decompress, leaveOpen: true);
            using CountedStream plain = new(gzip, mostBytes + (CodeLimits.MostEntries * 4096L)); // headers and padding count too
            using TarReader tar = new(plain);
            HashSet<string> paths = [], folders = [];
            Dictionary<string, string> links = [];
            long bytes = 0;
            while (tar.GetNextEntry() is { } entry)
            {
                string path = PathOf(entry);
                if (!paths.Add(path) || paths.Count > CodeLimits.MostEntries)
                {
                    throw new CodeException(paths.Count > CodeLimits.MostEntries
                        ? $"the archive has more than {CodeLimits.MostEntries} files" : $"the archive has two entries {path}");
                }

                bytes += entry.EntryType == TarEntryType.RegularFile ? entry.Length : 0;
                if (bytes > mostBytes)
                {
                    throw new CodeException($"the files of the archive have more than {mostBytes >> 20} MiB");
                }

                RequireFolders(path, folders);
                Take(entry, path, folder, folders, links);
            }

            HashSet<string> names = [.. links.Keys];
            foreach ((string path, string target) in links)
            {
                LinkTarget.Check(path, target, names);
                File.CreateSymbolicLink(Path.Combine(folder, path), target); // last, so that nothing was written through a link
            }

            foreach (string path in folders.OrderByDescending(path => path.Length))
            {
                File.SetUnixFileMode(Path.Combine(folder, path), FolderMode);
            }

            File.SetUnixFileMode(folder, FolderMode);
        }
        catch (Exception failure) when (failure is InvalidDataException or FormatException or EndOfStreamException or ArgumentException)
        {
            throw new CodeException($"the archive is damaged: {failure.Message}", failure);
        }
    }

    private static void Take(TarEntry entry, string path, string folder, HashSet<string> folders, Dictionary<string, string> links)
    {
        string full = Path.Combine(folder, path);
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                Directory.CreateDirectory(full);
                folders.Add(path);
                break;
            case TarEntryType.SymbolicLink:
                links.Add(path, entry.LinkName);
                break;
            case TarEntryType.RegularFile:
                bool runs = (entry.Mode & UnixFileMode.UserExecute) != 0;
                using (FileStream file = new(full, System.IO.FileMode.CreateNew, FileAccess.Write))
                {
                    entry.DataStream?.CopyTo(file);
                }

                File.SetUnixFileMode(full, runs ? FolderMode : FileMode);
                break;
            default:
                throw new CodeException(
                    $"the entry {path} of the archive is a {entry.EntryType}, and only files, folders and links may come");
        }
    }

    /// <summary>Folders come before their files, so the parents of an entry are folders of this archive and no links.</summary>
    private static void RequireFolders(string path, HashSet<string> folders)
    {
        int slash = path.LastIndexOf('/');
        if (slash > 0 && !folders.Contains(path[..slash]))
        {
            throw new CodeException($"the folder of the entry {path} did not come before it");
        }
    }

    private static string PathOf(TarEntry entry)
    {
        string path = entry.EntryType == TarEntryType.Directory ? entry.Name.TrimEnd('/') : entry.Name;
        return CodeFolder.IsWithin(path) ? path
            : throw new CodeException($"the archive has an entry that leads out of its folder: '{path}'");
    }
}
