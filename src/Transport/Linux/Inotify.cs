using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Cocaine.Fast.Transport.Linux;

/// <summary>One inotify instance. See inotify(7).</summary>
/// <remarks>Safety: paths have their closing zero byte and are pinned for the call; the descriptor is closed once.</remarks>
internal sealed unsafe class Inotify : IDisposable
{
    public const uint Modify = 0x002, CloseWrite = 0x008, MovedFrom = 0x040, MovedTo = 0x080, Create = 0x100, Delete = 0x200;
    public const uint DeleteSelf = 0x400, MoveSelf = 0x800, Unmount = 0x2000, Overflow = 0x4000, Ignored = 0x8000;
    public const uint OnlyFolder = 0x0100_0000, DontFollow = 0x0200_0000, NotUnlinked = 0x0400_0000, AddToMask = 0x2000_0000;
    public const uint IsFolder = 0x4000_0000;

    private int _descriptor;

    /// <exception cref="IOException">There are too many instances; the text names the bound.</exception>
    public Inotify()
    {
        _descriptor = LibC.inotify_init1(LibC.O_NONBLOCK | LibC.O_CLOEXEC);
        if (_descriptor < 0)
        {
            throw Marshal.GetLastPInvokeError() == LibC.EMFILE
                ? new IOException("the kernel gives this user no more inotify instances: raise fs.inotify.max_user_instances "
                    + $"(now {Setting("max_user_instances")}; sysctl -w), or the process's limit of open files")
                : LibC.Failure("inotify_init1");
        }
    }

    public int Descriptor => _descriptor;

    /// <summary>The present value of a bound of the kernel.</summary>
    public static string Setting(string name)
    {
        string path = $"/proc/sys/fs/inotify/{name}";
        return File.Exists(path) ? File.ReadAllText(path).Trim() : "unknown";
    }

    /// <summary>Watches a path, or changes the events of its watch. Returns the watch's number, or the negative errno.</summary>
    public int Watch(ReadOnlySpan<byte> path, uint mask)
    {
        fixed (byte* start = path)
        {
            int watch = LibC.inotify_add_watch(_descriptor, start, mask);
            return watch >= 0 ? watch : -Marshal.GetLastPInvokeError();
        }
    }

    public void Forget(int watch) => LibC.inotify_rm_watch(_descriptor, watch);

    /// <summary>Reads whole events; 0 when there are none.</summary>
    public int Read(Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            return (int)Math.Max(0, LibC.read(_descriptor, start, buffer.Length));
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
}

/// <summary>One event: struct inotify_event.</summary>
internal readonly ref struct InotifyEvent
{
    private const int HeadBytes = 16;

    private InotifyEvent(int watch, uint mask, uint cookie, ReadOnlySpan<byte> name)
    {
        Watch = watch;
        Mask = mask;
        Cookie = cookie;
        Name = name;
    }

    public int Watch { get; }

    public uint Mask { get; }

    /// <summary>Joins the two events of a rename.</summary>
    public uint Cookie { get; }

    public ReadOnlySpan<byte> Name { get; }

    public bool Has(uint mask) => (Mask & mask) != 0;

    /// <summary>Takes the first event off the read bytes.</summary>
    public static InotifyEvent Take(ref ReadOnlySpan<byte> events)
    {
        int length = BinaryPrimitives.ReadInt32LittleEndian(events[12..]); // both architectures are little-endian
        ReadOnlySpan<byte> name = events.Slice(HeadBytes, length);
        int end = name.IndexOf((byte)0);
        InotifyEvent taken = new(BinaryPrimitives.ReadInt32LittleEndian(events), BinaryPrimitives.ReadUInt32LittleEndian(events[4..]),
            BinaryPrimitives.ReadUInt32LittleEndian(events[8..]), end < 0 ? name : name[..end]);
        events = events[(HeadBytes + length)..];
        return taken;
    }
}
