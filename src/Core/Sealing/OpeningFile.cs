using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Cocaine.Fast.Core.Sealing;

/// <summary>
/// Numbers that were used, in a file that outlives the node: a head, then slots of <c>number 16 | end 8</c>, big-endian. A slot is written
/// by one system call, so a node that is killed leaves whole slots. One thread at a time.
/// </summary>
internal sealed class OpeningFile : IDisposable
{
    private const int SlotBytes = 24;

    private readonly SafeFileHandle _file;
    private readonly string _path;

    private OpeningFile(SafeFileHandle file, string path)
    {
        _file = file;
        _path = path;
    }

    private static ReadOnlySpan<byte> Head => "cocaine-fast used 1\n    "u8;

    /// <summary>Opens the file, or makes it.</summary>
    /// <exception cref="IOException">
    /// The file cannot be used, another node uses it, or it is another file; the text gives the remedy. A node that went on without the
    /// file would take messages a second time.
    /// </exception>
    public static OpeningFile Open(string path)
    {
        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            Span<byte> head = stackalloc byte[SlotBytes];
            if (RandomAccess.GetLength(file) == 0)
            {
                RandomAccess.Write(file, Head, 0);
            }
            else if (RandomAccess.Read(file, head, 0) != SlotBytes || !head.SequenceEqual(Head))
            {
                throw new IOException($"{path} has no used numbers of sealed messages: move it away");
            }

            return new OpeningFile(file, path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw fault is IOException ? fault : new IOException(fault.Message, fault);
        }
    }

    /// <summary>The numbers of all slots, with their slots.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public IEnumerable<(int Slot, UInt128 Number, long EndsS)> Read()
    {
        byte[] bytes = new byte[SlotBytes * (1 + SealLimits.MaxOpenings)];
        int length = 0;
        for (int read; (read = RandomAccess.Read(_file, bytes.AsSpan(length), length)) > 0; length += read)
        {
        }

        for (int slot = 0; SlotBytes * (slot + 2) <= length; slot++)
        {
            ReadOnlySpan<byte> one = bytes.AsSpan(SlotBytes * (slot + 1), SlotBytes);
            yield return (slot, BinaryPrimitives.ReadUInt128BigEndian(one), BinaryPrimitives.ReadInt64BigEndian(one[16..]));
        }
    }

    /// <summary>Writes a slot.</summary>
    /// <param name="slot">The slot, from 0.</param>
    /// <param name="number">The number.</param>
    /// <param name="endsS">The second from which on nobody can use the number, since 1970.</param>
    /// <param name="isDurable">Waits for the disk: the number must outlive the machine's power too, not only the node.</param>
    /// <exception cref="IOException">The disk is full or broken.</exception>
    public void Write(int slot, UInt128 number, long endsS, bool isDurable)
    {
        Span<byte> one = stackalloc byte[SlotBytes];
        BinaryPrimitives.WriteUInt128BigEndian(one, number);
        BinaryPrimitives.WriteInt64BigEndian(one[16..], endsS);
        try
        {
            RandomAccess.Write(_file, one, SlotBytes * (slot + 1L));
            if (isDurable)
            {
                RandomAccess.FlushToDisk(_file);
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{_path}: {fault.Message}", fault);
        }
    }

    public void Dispose() => _file.Dispose();
}
