namespace Cocaine.Fast.Transport.Files;

/// <summary>
/// Hears the changes below a watched path. Names are relative to it, empty for the path itself; their bytes are valid during the
/// call only.
/// </summary>
internal interface IFileChanges
{
    /// <summary>No more changes are wanted now: the kernel keeps them, and when it has too many, the tree is looked at anew.</summary>
    bool IsFull { get; }

    void Created(ReadOnlySpan<byte> name, bool isFolder);

    void Modified(ReadOnlySpan<byte> name);

    void Deleted(ReadOnlySpan<byte> name, bool isFolder);

    /// <summary>A rename within the tree; what is in a folder moves with it. Something of the new name may have been replaced.</summary>
    void Moved(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, bool isFolder, bool replaced);
}
