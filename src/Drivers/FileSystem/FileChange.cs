namespace Cocaine.Fast.Drivers.FileSystem;

/// <summary>The change of a name.</summary>
internal enum ChangeKind
{
    Created,
    Modified,
    Deleted,
    Moved,
}

/// <summary>One entry of a burst. Only the burst's list uses the links.</summary>
internal sealed class FileChange(ChangeKind kind, byte[] name)
{
    public ChangeKind Kind { get; set; } = kind;

    /// <summary>The name, relative to the watched path; for a move, the new name.</summary>
    public byte[] Name { get; set; } = name;

    /// <summary>The old name; valid in Moved.</summary>
    public byte[]? From { get; set; }

    public bool IsFolder { get; set; }

    /// <summary>Grows from change to change.</summary>
    public long Number { get; init; }

    /// <summary>The reader shall read the content under this name.</summary>
    public bool HasContent => Kind is ChangeKind.Created or ChangeKind.Modified && !IsFolder;

    /// <summary>When the change was delivered, the file was perhaps not there any more, or another one was there.</summary>
    public bool IsMissed { get; set; }

    /// <summary>The change is in the list no more.</summary>
    public bool IsDelivered { get; set; }

    /// <summary>Deleted: nobody was told about its creation. Moved: a file of the new name was replaced.</summary>
    public bool Flag { get; set; }

    internal FileChange? Next { get; set; }

    internal FileChange? Previous { get; set; }
}
