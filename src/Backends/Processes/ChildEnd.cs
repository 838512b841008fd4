using System.Runtime.InteropServices;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Backends.Processes;

/// <summary>Takes the ends of child processes. A process that has ended is a zombie until its end is taken. See waitid(2).</summary>
/// <remarks>Safety: siginfo_t is 128 bytes on the stack; its fields as ints are signo, errno, code, a gap, pid, uid, status.</remarks>
internal static unsafe class ChildEnd
{
    private const int Any = 0, ByProcess = 1, ByDescriptor = 3;
    private const int NoHang = 1, Exited = 4, LeaveIt = 0x01000000;
    private const int CodeExited = 1, InfoInts = 32, Code = 2, Process = 4, Status = 6;

    /// <summary>Takes the end of the process behind a readable pidfd. Null when a signal interrupted the call: ask again.</summary>
    public static ProcessEnd? Take(int processDescriptor)
    {
        int* info = stackalloc int[InfoInts];
        if (!Wait(ByDescriptor, processDescriptor, info, Exited | NoHang))
        {
            return Marshal.GetLastPInvokeError() == LibC.EINTR ? null : ProcessEnd.Unknown;
        }

        return EndOf(info) ?? ProcessEnd.Unknown;
    }

    /// <summary>Waits for the end of a child that was killed or is ending. False when the child has not ended in time.</summary>
    public static bool Wait(int process, int timeoutMs)
    {
        int* info = stackalloc int[InfoInts];
        for (long until = Environment.TickCount64 + timeoutMs; ; Thread.Sleep(1))
        {
            bool isChild = Wait(ByProcess, process, info, Exited | NoHang) || Marshal.GetLastPInvokeError() == LibC.EINTR;
            if (!isChild || info[Process] != 0)
            {
                return true;
            }

            if (Environment.TickCount64 >= until)
            {
                return false;
            }
        }
    }

    /// <summary>Takes the end of one process if the process has ended.</summary>
    public static void TakeIfEnded(int process)
    {
        int* info = stackalloc int[InfoInts];
        _ = Wait(ByProcess, process, info, Exited | NoHang);
    }

    /// <summary>Some child has ended and waits to be taken. Takes no end.</summary>
    public static bool IsWaiting()
    {
        int* info = stackalloc int[InfoInts];
        return Wait(Any, 0, info, Exited | NoHang | LeaveIt) && info[Process] != 0;
    }

    private static bool Wait(int kind, int id, int* info, int options)
    {
        new Span<int>(info, InfoInts).Clear();
        return LibC.waitid(kind, (uint)id, info, options, null) == 0;
    }

    private static ProcessEnd? EndOf(int* info) =>
        info[Process] == 0 ? null : new ProcessEnd(info[Code] != CodeExited, info[Status]);
}
