using Cocaine.Fast.Core.MessagePack;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Balancing;

/// <summary>
/// News about the load of an app on one node: <c>[channel, 0, [[slots, running, queued, mean in µs, flags]]]</c>. The lowest flag says
/// that the app takes jobs; the others have no meaning yet.
/// </summary>
/// <param name="Load">The load.</param>
/// <param name="IsOpen">The app takes jobs.</param>
internal readonly record struct LoadNews(LoadReport Load, bool IsOpen)
{
    private const int NsPerUs = 1000;
    private const ulong TakesJobs = 1;

    /// <summary>Two heads of arrays, and five numbers.</summary>
    private const int MaxBytes = 2 + (5 * MsgPackEncoder.MaxHeadBytes);

    /// <summary>Writes the news as a message of a channel.</summary>
    public void Write(MessageSink output, ulong channel)
    {
        Span<byte> to = stackalloc byte[MaxBytes];
        int at = MsgPackEncoder.WriteArrayHead(to, 1);
        at += MsgPackEncoder.WriteArrayHead(to[at..], 5);
        at += MsgPackEncoder.WriteUnsigned(to[at..], (ulong)Load.Slots);
        at += MsgPackEncoder.WriteUnsigned(to[at..], (ulong)Load.Running);
        at += MsgPackEncoder.WriteUnsigned(to[at..], (ulong)Load.Queued);
        at += MsgPackEncoder.WriteUnsigned(to[at..], (ulong)Load.MeanNs / NsPerUs);
        at += MsgPackEncoder.WriteUnsigned(to[at..], IsOpen ? TakesJobs : 0);
        MessageWriter.WriteArguments(output, channel, to[..at]);
    }

    /// <summary>Reads news. False when the arguments are none; impossible figures are read as the highest possible ones and more.</summary>
    public static bool TryRead(ReadOnlySpan<byte> arguments, out LoadNews news)
    {
        ArgumentReader reader = new(arguments);
        reader.Array(1);
        reader.Array(5);
        int slots = Bounded(reader.Number()), running = Bounded(reader.Number()), queued = Bounded(reader.Number());
        ulong meanUs = reader.Number(), flags = reader.Number();
        long meanNs = meanUs <= (ulong)LoadReport.LongestMeanNs / NsPerUs ? (long)meanUs * NsPerUs : LoadReport.LongestMeanNs + 1;
        news = new LoadNews(new LoadReport(slots, running, queued, meanNs), (flags & TakesJobs) != 0);
        return reader.IsWhole;
    }

    private static int Bounded(ulong jobs) => (int)Math.Min(jobs, LoadReport.MostJobs + 1);
}
