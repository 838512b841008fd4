namespace Cocaine.Fast.Drivers.FileSystem;

/// <summary>The change of a name.</summary>
internal enum ChangeKind
{
    Created,
    Modified,
    Deleted,
    Moved,
}

/// <summary>One entry of a burst. Links of the burst's list are its own.</summary>
internal sealed class FileChange(ChangeKind kind, byte[] name)
{
    public ChangeKind Kind { get; set; } = kind;

    /// <summary>Relative to the watched path; of a move: where to.</summary>
    public byte[] Name { get; set; } = name;

    /// <summary>Where from; valid in Moved.</summary>
    public byte[]? From { get; set; }

    public bool IsFolder { get; set; }

    /// <summary>Deleted: nobody was told of its making. Moved: something of the new name was replaced.</summary>
    public bool Flag { get; set; }

    internal FileChange? Next { get; set; }

    internal FileChange? Previous { get; set; }
}
