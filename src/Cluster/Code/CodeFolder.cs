using System.Security.Cryptography;
using Cocaine.Fast.Transport.Trust;

namespace Cocaine.Fast.Cluster.Code;

/// <summary>
/// The code of apps on a node's disk: for each pack its archive, by which the node can give it to an engine that has lost it, and a folder
/// with its files. A pack is whole and checked before it has its name. The methods are called one at a time, and throw an
/// <see cref="IOException"/> or an <see cref="UnauthorizedAccessException"/> when the disk does not take it.
/// </summary>
/// <param name="path">The folder <c>code</c>; made when something is written into it.</param>
/// <param name="mostBytes">The most bytes of an archive.</param>
internal sealed class CodeFolder(string path, long mostBytes)
{
    private const string ArchiveSuffix = ".tgz", PartSuffix = ".part", NewSuffix = ".new";

    /// <summary>The most packs that are being sent at a time, as few people do so at once. The oldest one goes for a new one.</summary>
    private const int MostParts = 4;

    /// <summary>The length of a name: SHA-256 in hexadecimal.</summary>
    private const int NameLength = 64;

    /// <summary>The most bytes of an archive.</summary>
    public long MostBytes => mostBytes;

    /// <summary>Whether a text is the name of a pack.</summary>
    /// <param name="name">The text.</param>
    public static bool IsName(string name) => name.Length == NameLength && name.All(char.IsAsciiHexDigitLower);

    /// <summary>Whether a path leads to a place within a pack.</summary>
    /// <param name="path">The path, with slashes.</param>
    public static bool IsWithin(string path) => path.Length is > 0 and <= CodeLimits.LongestPath && !path.Contains('\0')
        && path.Split('/').All(part => part is not ("" or "." or ".."));

    /// <summary>Removes what a crash has left: parts of archives and folders that are not whole.</summary>
    public void RemoveLeftovers()
    {
        foreach (string folder in Directory.Exists(path) ? Directory.GetDirectories(path, "*" + NewSuffix) : [])
        {
            RemoveFolder(folder);
        }

        foreach (string part in Parts())
        {
            File.Delete(part);
        }
    }

    /// <summary>The folder with the files of a pack; null when the node does not have it.</summary>
    /// <param name="name">The pack.</param>
    public string? Find(string name) => Directory.Exists(FilesOf(name)) && File.Exists(ArchiveOf(name)) ? FilesOf(name) : null;

    /// <summary>The archive of a pack that the node has, for reading.</summary>
    /// <param name="name">The pack.</param>
    public FileStream OpenArchive(string name) => new(ArchiveOf(name), FileMode.Open, FileAccess.Read, FileShare.Read);

    /// <summary>Takes the next bytes of an archive.</summary>
    /// <param name="name">The pack.</param>
    /// <param name="sizeBytes">The bytes of the whole archive.</param>
    /// <param name="at">The number of bytes before these; others are not taken.</param>
    /// <param name="bytes">The bytes.</param>
    /// <returns>The number of bytes that are here now; when all are here, the pack is checked and unpacked.</returns>
    /// <exception cref="CodeException">The archive is too large or not good; nothing of it stays.</exception>
    public long Take(string name, long sizeBytes, long at, ReadOnlySpan<byte> bytes)
    {
        CheckSize(sizeBytes);
        if (Find(name) is not null)
        {
            return sizeBytes;
        }

        string part = Path.Combine(Folder(), name + PartSuffix);
        MakeRoom(part);
        using FileStream file = new(part, FileMode.OpenOrCreate, FileAccess.ReadWrite);
        if (at != file.Length || at + bytes.Length > sizeBytes)
        {
            return Math.Min(file.Length, sizeBytes);
        }

        file.Position = at;
        file.Write(bytes);
        if (file.Length == sizeBytes)
        {
            Finish(name, file);
        }

        return file.Length;
    }

    /// <summary>A file for an archive that is on its way from the engine; <see cref="Finish"/> makes a pack of it.</summary>
    /// <param name="name">The pack.</param>
    public FileStream OpenPart(string name)
    {
        string part = Path.Combine(Folder(), name + PartSuffix);
        MakeRoom(part);
        return new FileStream(part, FileMode.Create, FileAccess.ReadWrite);
    }

    /// <summary>Checks and unpacks an archive that is whole. The file of the part is gone afterwards.</summary>
    /// <param name="name">The pack.</param>
    /// <param name="part">The archive.</param>
    /// <exception cref="CodeException">The archive is not good.</exception>
    public void Finish(string name, FileStream part)
    {
        string files = FilesOf(name) + NewSuffix;
        try
        {
            part.Position = 0;
            if (Convert.ToHexStringLower(SHA256.HashData(part)) != name)
            {
                throw new CodeException("the code was changed or damaged on its way: its SHA-256 is another one");
            }

            part.Position = 0;
            Directory.CreateDirectory(files);
            CodeUnpack.Into(part, files, mostBytes * CodeLimits.MostGrowth);
            part.Flush(flushToDisk: true);
            File.Move(part.Name, ArchiveOf(name), overwrite: true);
            if (Directory.Exists(FilesOf(name)))
            {
                RemoveFolder(FilesOf(name)); // its archive was lost
            }

            Directory.Move(files, FilesOf(name));
        }
        catch
        {
            File.Delete(part.Name);
            RemoveFolder(files);
            throw;
        }
    }

    /// <summary>Checks the size of an archive before any of it is taken.</summary>
    /// <param name="sizeBytes">The size.</param>
    /// <exception cref="CodeException">The archive is too large.</exception>
    public void CheckSize(long sizeBytes)
    {
        if (sizeBytes <= 0 || sizeBytes > mostBytes)
        {
            throw new CodeException(
                $"the code has {sizeBytes} bytes, and this node takes {mostBytes}: 'max-code' in the section 'cluster' of its config, or "
                + $"{IgnoreRules.FileName} in the folder of the code, which names files that stay out");
        }
    }

    /// <summary>The names of the packs.</summary>
    public IReadOnlyList<string> Names() => !Directory.Exists(path) ? []
        : [.. Directory.GetFiles(path, "*" + ArchiveSuffix).Select(file => Path.GetFileNameWithoutExtension(file)!)];

    /// <summary>Removes a pack.</summary>
    /// <param name="name">The pack.</param>
    public void Remove(string name)
    {
        File.Delete(ArchiveOf(name));
        RemoveFolder(FilesOf(name));
    }

    private string ArchiveOf(string name) => Path.Combine(path, name + ArchiveSuffix);

    private string FilesOf(string name) => Path.Combine(path, name);

    private string Folder()
    {
        if (!Directory.Exists(path))
        {
            PrivateFolder.Make(path);
        }

        return path;
    }

    private string[] Parts() => Directory.Exists(path) ? Directory.GetFiles(path, "*" + PartSuffix) : [];

    private void MakeRoom(string part)
    {
        string[] others = [.. Parts().Where(file => file != part).OrderBy(File.GetLastWriteTimeUtc)];
        foreach (string file in others.SkipLast(MostParts - 1))
        {
            File.Delete(file);
        }
    }

    /// <summary>Removes a folder whose own folders may be read only for a user that is not root.</summary>
    private static void RemoveFolder(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        const UnixFileMode own = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        File.SetUnixFileMode(folder, own);
        EnumerationOptions all = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None };
        foreach (DirectoryInfo inner in new DirectoryInfo(folder).EnumerateDirectories("*", all).Where(one => one.LinkTarget is null))
        {
            inner.UnixFileMode = own;
        }

        Directory.Delete(folder, recursive: true);
    }
}
