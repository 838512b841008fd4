using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Files;

/// <summary>
/// A file in the making: its bytes are on the disk under another name, and <see cref="Commit"/> puts it in its place. Whenever the machine
/// stops, either the old file or the new one is there, whole. A lack of room or rights shows before any change.
/// </summary>
internal sealed class PendingFile : IDisposable
{
    /// <summary>The ending of temporary names; after a crash such files are left over, and of no use.</summary>
    public const string Suffix = ".tmp";

    private readonly string _path;
    private readonly string _temporary;
    private bool _isDone;

    private PendingFile(string path, string temporary)
    {
        _path = path;
        _temporary = temporary;
    }

    /// <summary>Writes the bytes to the disk beside the file's final place, readable only for their owner.</summary>
    /// <param name="path">The file's final place.</param>
    /// <param name="bytes">All bytes of the file.</param>
    /// <param name="othersMayRead">The file has no secret: its mode is 0644, less the bits of the umask.</param>
    /// <exception cref="IOException">The bytes cannot be written; nothing is left behind.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not write the bytes.</exception>
    public static PendingFile Write(string path, ReadOnlySpan<byte> bytes, bool othersMayRead = false)
    {
        string folder = Path.GetDirectoryName(path)!;
        PendingFile file = new(path, Path.Combine(folder, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}{Suffix}"));
        try
        {
            using FileStream stream = new(file._temporary, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                BufferSize = 0,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite
                    | (othersMayRead ? UnixFileMode.GroupRead | UnixFileMode.OtherRead : UnixFileMode.None),
            });
            stream.Write(bytes);
            stream.Flush(flushToDisk: true);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Puts the file in its place, and returns when a crash cannot undo it.</summary>
    /// <param name="mayReplace">A file that is there already is replaced; otherwise it is a failure.</param>
    /// <exception cref="IOException">The file cannot be put there; the old file is still there.</exception>
    public void Commit(bool mayReplace = true)
    {
        File.Move(_temporary, _path, mayReplace);
        _isDone = true;
        FolderSync.Flush(Path.GetDirectoryName(_path)!);
    }

    /// <summary>Removes the file if it was not committed.</summary>
    public void Dispose()
    {
        if (_isDone)
        {
            return;
        }

        _isDone = true;
        try
        {
            File.Delete(_temporary);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The caller must get the failure that led here; leftovers are removed at the next start.
        }
    }
}
