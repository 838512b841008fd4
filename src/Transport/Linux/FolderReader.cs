using System.Runtime.InteropServices;

namespace Cocaine.Fast.Transport.Linux;

/// <summary>Reads the names in a folder, as bytes and a part at a time. .NET would decode them, but names need not be UTF-8.</summary>
/// <remarks>
/// Safety: reads records of getdents64(2) out of a buffer of its own, within the length that the kernel gave; the descriptor is closed
/// once.
/// </remarks>
internal sealed unsafe class FolderReader : IDisposable
{
    private const int LengthOffset = 16, NameOffset = 19;

    private static readonly int OnlyFolder = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;

    private readonly byte[] _buffer = new byte[32 << 10];
    private int _descriptor = -1;
    private int _at;
    private int _end;

    public bool IsOpen => _descriptor >= 0;

    /// <summary>Opens a folder by its path, with a closing zero byte.</summary>
    public bool TryOpen(ReadOnlySpan<byte> path)
    {
        Dispose();
        fixed (byte* start = path)
        {
            _descriptor = LibC.open(start, LibC.O_CLOEXEC | OnlyFolder);
        }

        _at = _end = 0;
        return IsOpen;
    }

    /// <summary>The next name, valid until the following call; false at the end.</summary>
    public bool TryNext(out ReadOnlySpan<byte> name)
    {
        while (true)
        {
            if (_at == _end && !TryFill())
            {
                name = default;
                return false;
            }

            ReadOnlySpan<byte> rest = _buffer.AsSpan(_at, _end - _at);
            int length = MemoryMarshal.Read<ushort>(rest[LengthOffset..]);
            name = rest[NameOffset..length];
            name = name[..name.IndexOf((byte)0)];
            _at += length;
            if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
            {
                return true;
            }
        }
    }

    public void Dispose()
    {
        if (_descriptor >= 0)
        {
            _ = LibC.close(_descriptor);
            _descriptor = -1;
        }
    }

    private bool TryFill()
    {
        fixed (byte* start = _buffer)
        {
            _end = (int)Math.Max(0, LibC.getdents64(_descriptor, start, _buffer.Length));
        }

        _at = 0;
        return _end > 0;
    }
}
