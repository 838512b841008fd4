namespace Cocaine.Fast.Transport.Files;

/// <summary>
/// Hears the changes below a watched path. Names are relative to the path, empty for the path itself; their bytes are valid during the call
/// only.
/// </summary>
internal interface IFileChanges
{
    /// <summary>
    /// The listener wants no more changes now. The kernel keeps them, and when it has too many, the whole tree is looked at again.
    /// </summary>
    bool IsFull { get; }

    void Created(ReadOnlySpan<byte> name, bool isFolder);

    void Modified(ReadOnlySpan<byte> name);

    void Deleted(ReadOnlySpan<byte> name, bool isFolder);

    /// <summary>A rename within the tree; the content of a folder moves with it. The new name may have replaced a file.</summary>
    void Moved(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, bool isFolder, bool replaced);
}
