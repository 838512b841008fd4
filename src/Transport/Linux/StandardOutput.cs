namespace Cocaine.Fast.Transport.Linux;

/// <summary>
/// Standard output of this process. When the reader of a pipe is gone, the output of .NET's console vanishes without an error. So a command
/// that follows something has to check by itself: otherwise <c>watch … | head</c> would never end.
/// </summary>
/// <remarks>Safety: struct pollfd is eight bytes and on the stack; the kernel writes it during the call.</remarks>
internal static unsafe class StandardOutput
{
    private const int Descriptor = 1;

    private const short PollError = 8;

    /// <summary>Standard output is a pipe or a socket that nobody reads any more.</summary>
    public static bool IsReaderGone
    {
        get
        {
            long entry = Descriptor; // struct pollfd: int descriptor, short wanted, short seen; errors come without asking
            return LibC.poll(&entry, 1, timeoutMs: 0) > 0 && (((short*)&entry)[3] & PollError) != 0;
        }
    }
}
