namespace Cocaine.Fast.Transport.Files;

/// <summary>Writes paths of the tree into one buffer; each path is valid until the next one is written.</summary>
internal sealed class PathBuffer(byte[] root)
{
    private byte[] _buffer = new byte[512];
    private int _length;

    /// <summary>The path for a system call, with a closing zero byte.</summary>
    public ReadOnlySpan<byte> Absolute(WatchedFolder folder, ReadOnlySpan<byte> name = default)
    {
        _length = 0;
        Append(root);
        AppendRelative(folder, name, leading: true);
        Append("\0"u8);
        return _buffer.AsSpan(0, _length);
    }

    /// <summary>The path of a relative name for a system call.</summary>
    public ReadOnlySpan<byte> Absolute(ReadOnlySpan<byte> relative)
    {
        _length = 0;
        Append(root);
        if (!relative.IsEmpty)
        {
            AppendPart(relative);
        }

        Append("\0"u8);
        return _buffer.AsSpan(0, _length);
    }

    /// <summary>The name in reports: relative to the root.</summary>
    public ReadOnlySpan<byte> Relative(WatchedFolder folder, ReadOnlySpan<byte> name = default)
    {
        _length = 0;
        AppendRelative(folder, name, leading: false);
        return _buffer.AsSpan(0, _length);
    }

    private void AppendRelative(WatchedFolder folder, ReadOnlySpan<byte> name, bool leading)
    {
        AppendFolder(folder, leading);
        if (!name.IsEmpty)
        {
            AppendPart(name, leading);
        }
    }

    private void AppendFolder(WatchedFolder folder, bool leading)
    {
        if (folder.Parent is { } parent)
        {
            AppendFolder(parent, leading);
            AppendPart(folder.Name, leading);
        }
    }

    private void AppendPart(ReadOnlySpan<byte> part, bool leading = true)
    {
        if (leading ? _length == 0 || _buffer[_length - 1] != '/' : _length > 0)
        {
            Append("/"u8);
        }

        Append(part);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (_length + bytes.Length > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + bytes.Length));
        }

        bytes.CopyTo(_buffer.AsSpan(_length));
        _length += bytes.Length;
    }
}
