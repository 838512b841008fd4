using System.Runtime.InteropServices;

namespace Cocaine.Fast.Transport.Linux;

/// <summary>One epoll instance. See epoll(7).</summary>
/// <remarks>
/// Safety: the event block is private memory of <see cref="MaxEvents"/> entries; one thread calls <see cref="Wait"/>. The block and the
/// descriptor are given back once: <see cref="Dispose"/> leaves null and -1 behind. The owner ends the waiting thread before it disposes.
/// </remarks>
internal sealed unsafe class Epoll : IDisposable
{
    public const uint In = 0x001, Out = 0x004, Error = 0x008, HangUp = 0x010, PeerClosed = 0x2000, EdgeTriggered = 1u << 31;

    /// <summary>The most events of one turn: more connections than one turn should serve before it flushes.</summary>
    public const int MaxEvents = 512;

    private const int Add = 1, Delete = 2, Modify = 3;

    // struct epoll_event is packed on x86-64 only: 12 bytes there, 16 elsewhere.
    private static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = EventSize - 8;

    private const nint EpollWait2 = 441;
    private const long NsPerMs = 1_000_000, NsPerSecond = 1_000_000_000;

    private int _epoll;     // -1 once disposed
    private byte* _events;  // null once disposed
    private bool _hasNanoseconds = true; // true until the kernel refuses: a kernel before 5.11 has no epoll_pwait2

    public Epoll()
    {
        _epoll = LibC.epoll_create1(LibC.O_CLOEXEC);
        if (_epoll < 0)
        {
            throw LibC.Failure("epoll_create1");
        }

        try
        {
            _events = (byte*)NativeMemory.AllocZeroed((nuint)(MaxEvents * EventSize));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public void Watch(int descriptor, uint events, ulong data) => Control(Add, descriptor, events, data);

    public void Change(int descriptor, uint events, ulong data) => Control(Modify, descriptor, events, data);

    /// <summary>Stops watching; a descriptor that is closed already is no error.</summary>
    public void Forget(int descriptor) => LibC.epoll_ctl(_epoll, Delete, descriptor, _events);

    /// <summary>Waits at most <paramref name="timeoutMs"/> (-1 = for ever) and returns the number of events; 0 after a signal.</summary>
    public int Wait(int timeoutMs)
    {
        int count = LibC.epoll_wait(_epoll, _events, MaxEvents, timeoutMs);
        if (count >= 0)
        {
            return count;
        }

        return Marshal.GetLastPInvokeError() == LibC.EINTR ? 0 : throw LibC.Failure("epoll_wait");
    }

    /// <summary>
    /// Waits at most <paramref name="timeoutNs"/>, to the nanosecond: whole milliseconds would make every timer up to one late. Otherwise
    /// the same as <see cref="Wait"/>.
    /// </summary>
    public int WaitNs(long timeoutNs)
    {
        if (timeoutNs > 0 && _hasNanoseconds)
        {
            TimeSpec timeout = new() { Seconds = timeoutNs / NsPerSecond, Nanoseconds = timeoutNs % NsPerSecond };
            nint count = LibC.syscall_epoll_pwait2(EpollWait2, _epoll, _events, MaxEvents, &timeout, null, 0);
            if (count >= 0)
            {
                return (int)count;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case LibC.EINTR:
                    return 0;
                case LibC.ENOSYS or LibC.EPERM: // older sandboxes answer EPERM to calls that they do not know
                    _hasNanoseconds = false;
                    break;
                default:
                    throw LibC.Failure("epoll_pwait2");
            }
        }

        return Wait((int)((timeoutNs + NsPerMs - 1) / NsPerMs));
    }

    /// <summary>Event <paramref name="index"/> of the last wait.</summary>
    public uint Event(int index, out ulong data)
    {
        byte* item = _events + (index * EventSize);
        data = *(ulong*)(item + DataOffset);
        return *(uint*)item;
    }

    public void Dispose()
    {
        if (_epoll < 0)
        {
            return;
        }

        _ = LibC.close(_epoll);
        _epoll = -1;
        NativeMemory.Free(_events);
        _events = null;
    }

    private void Control(int operation, int descriptor, uint events, ulong data)
    {
        byte* item = stackalloc byte[16];
        *(uint*)item = events;
        *(ulong*)(item + DataOffset) = data;
        if (LibC.epoll_ctl(_epoll, operation, descriptor, item) != 0)
        {
            throw LibC.Failure("epoll_ctl");
        }
    }
}
