using System.Runtime.InteropServices;
using Cocaine.Fast.Transport.Linux;
using Microsoft.Win32.SafeHandles;

namespace Cocaine.Fast.Transport.Trust;

/// <summary>
/// The lock of an open file (an "open file description lock" of fcntl(2)). The lock ends with the process that holds it, however the
/// process ends, and another process can see it without taking it.
/// </summary>
/// <remarks>Safety: struct flock is on the stack and zeroed, 32 bytes on 64-bit Linux; the kernel reads and writes it during the
/// call.</remarks>
internal static unsafe class FileLock
{
    private const int GetLock = 36, SetLock = 37;
    private const short Write = 1, Unlocked = 2;

    /// <summary>Takes the lock; false when another open file has it.</summary>
    /// <exception cref="IOException">The file system has no locks.</exception>
    public static bool TryTake(SafeFileHandle file)
    {
        FileRange range = new() { Type = Write };
        if (LibC.fcntl((int)file.DangerousGetHandle(), SetLock, (nint)(&range)) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() is LibC.EAGAIN or LibC.EACCES ? false : throw LibC.Failure("fcntl(F_OFD_SETLK)");
    }

    /// <summary>True when another open file has the lock.</summary>
    public static bool IsTaken(SafeFileHandle file)
    {
        FileRange range = new() { Type = Write };
        return LibC.fcntl((int)file.DangerousGetHandle(), GetLock, (nint)(&range)) == 0 && range.Type != Unlocked;
    }

    /// <summary>struct flock of 64-bit Linux; start and length 0 mean the whole file, and these locks require process 0.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FileRange
    {
        public short Type;
        public short Whence;
        public long Start;
        public long Length;
        public int Process;
    }
}
