namespace Cocaine.Fast.Host.Logs;

/// <summary>
/// The file that has the lines of the audit alone. Each batch of lines opens the file anew, so that programs may rename it to begin another
/// one. Only the thread of a <see cref="LogWriter"/> writes.
/// </summary>
internal sealed class AuditFile : Stream
{
    private const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _path;

    /// <summary>Makes the file when it is not there.</summary>
    /// <exception cref="IOException">The file cannot be written to, or others than its owner may read it.</exception>
    public AuditFile(string path)
    {
        _path = path;
        try
        {
            using FileStream file = Open();
            UnixFileMode mode = File.GetUnixFileMode(file.SafeFileHandle);
            if ((mode & ~Own) != 0)
            {
                string octal = Convert.ToString((int)mode, 8);
                throw new IOException($"log.audit: {path} can be used by others than its owner (mode 0{octal}): chmod 600");
            }
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new IOException($"log.audit: {failure.Message}", failure);
        }
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        using FileStream file = Open();
        file.Write(buffer, offset, count);
    }

    public override void Flush()
    {
        // each write is whole
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private FileStream Open() => new(_path, new FileStreamOptions
    {
        Mode = FileMode.Append,
        Access = FileAccess.Write,
        Share = FileShare.ReadWrite | FileShare.Delete,
        BufferSize = 0,
        UnixCreateMode = Own,
    });
}
