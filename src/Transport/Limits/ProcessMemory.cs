using System.Buffers.Text;
using Microsoft.Win32.SafeHandles;

namespace Cocaine.Fast.Transport.Limits;

/// <summary>The memory of another process, from proc(5).</summary>
internal static class ProcessMemory
{
    /// <summary>Resident bytes of a process; 0 when no process has this number, or the system does not report it.</summary>
    public static long ResidentBytes(int processId)
    {
        try
        {
            using SafeFileHandle file = File.OpenHandle($"/proc/{processId}/statm");
            Span<byte> text = stackalloc byte[256]; // seven numbers of at most 20 digits
            int length = RandomAccess.Read(file, text, 0);
            return PagesOf(text[..length]) * Environment.SystemPageSize;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>The second number of statm: resident pages.</summary>
    private static long PagesOf(ReadOnlySpan<byte> statm)
    {
        int at = statm.IndexOf((byte)' ') + 1;
        return at > 0 && Utf8Parser.TryParse(statm[at..], out long pages, out _) ? pages : 0;
    }
}
