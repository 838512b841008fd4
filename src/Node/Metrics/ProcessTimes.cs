using System.Buffers.Text;
using Microsoft.Win32.SafeHandles;

namespace Cocaine.Fast.Node.Metrics;

/// <summary>The CPU time and memory of a process or a thread at one moment; source: proc(5), the file stat.</summary>
/// <param name="Started">The start in ticks since the boot: tells two processes with one number apart.</param>
/// <param name="CpuSeconds">CPU time so far, in user and kernel.</param>
/// <param name="ResidentBytes">Resident memory; of a thread, that of its process.</param>
internal readonly record struct ProcessTimes(long Started, double CpuSeconds, long ResidentBytes)
{
    /// <summary>Ticks of a second: the kernel reports 100 to every program, whatever its own timer does.</summary>
    private const double TicksPerSecond = 100;

    /// <summary>Fields after the name, which ends with a bracket: the state is 0.</summary>
    private const int User = 11, Kernel = 12, Start = 19, Pages = 21;

    /// <summary>Reads a file stat; null when the process has ended, or the system does not show it.</summary>
    public static ProcessTimes? Read(string path)
    {
        Span<byte> text = stackalloc byte[1024]; // a name of 64 bytes, and 50 numbers of at most 20 digits
        try
        {
            using SafeFileHandle file = File.OpenHandle(path);
            return Parse(text[..RandomAccess.Read(file, text, 0)]);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Reads the text of the file; null when it has another form.</summary>
    public static ProcessTimes? Parse(ReadOnlySpan<byte> stat)
    {
        ReadOnlySpan<byte> rest = stat[(stat.LastIndexOf((byte)')') + 1)..];
        Span<long> values = stackalloc long[Pages + 1];
        for (int field = -1; field <= Pages; field++)
        {
            int end = rest.IndexOf((byte)' ');
            ReadOnlySpan<byte> word = end < 0 ? rest : rest[..end];
            if (field > 0 && !Utf8Parser.TryParse(word, out values[field], out _))
            {
                return null;
            }

            if (end < 0 && field < Pages)
            {
                return null;
            }

            rest = end < 0 ? [] : rest[(end + 1)..];
        }

        return new ProcessTimes(
            values[Start], (values[User] + values[Kernel]) / TicksPerSecond, values[Pages] * Environment.SystemPageSize);
    }
}
