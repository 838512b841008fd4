using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Files;

/// <summary>The memory of a name in a folder.</summary>
internal struct FileEntry
{
    /// <summary>Time of an entry that was not looked at yet.</summary>
    public const long Unknown = long.MinValue;

    public FileKind Kind;
    public ulong Identity;
    public long SizeBytes;
    public long ModifiedNs;

    /// <summary>The last scan that saw the entry.</summary>
    public uint SeenInScan;

    /// <summary>The folder itself, when its content is watched.</summary>
    public WatchedFolder? Folder;

    public readonly bool Differs(in FileStatus status) =>
        ModifiedNs != status.ModifiedNs || SizeBytes != status.SizeBytes || Identity != status.Identity;

    public void Set(in FileStatus status)
    {
        Kind = status.Kind;
        Identity = status.Identity;
        SizeBytes = status.SizeBytes;
        ModifiedNs = status.ModifiedNs;
    }
}

/// <summary>A folder of the tree with the names that were last seen in it.</summary>
internal sealed class WatchedFolder(WatchedFolder? parent, byte[] name)
{
    /// <summary>The folder above; null for the root.</summary>
    public WatchedFolder? Parent { get; set; } = parent;

    public byte[] Name { get; set; } = name;

    /// <summary>Number of the folder's watch; -1 without one.</summary>
    public int Watch { get; set; } = -1;

    public Dictionary<byte[], FileEntry> Entries { get; } = new(NameComparer.Instance);

    /// <summary>The folder was taken out of the tree: its path is not valid any more.</summary>
    public bool IsDetached { get; set; }

    /// <summary>The folder has names that are not remembered, because there are too many.</summary>
    public bool IsPartial { get; set; }

    /// <summary>The name that a rename brought, when that was the last change of names in this folder; else null.</summary>
    public byte[]? Arrived { get; set; }

    /// <summary>When the name arrived: the count of pauses in the kernel's events.</summary>
    public int ArrivedAt { get; set; }

    /// <summary>Counts the scans of this folder: entries that an ended one did not see are gone.</summary>
    public uint Scan { get; set; }
}
