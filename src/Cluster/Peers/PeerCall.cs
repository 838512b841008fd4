using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.MessagePack;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Cluster.Peers;

/// <summary>
/// The message that gives a job to another node: <c>[n, 0, [event, task], headers?]</c>. The headers are those that the job has for its
/// worker, and the caller's wishes. Times are what is left of them, because the clocks of two nodes differ.
/// </summary>
internal static class PeerCall
{
    /// <summary>Heads of arrays, numbers of channel and type, heads of the two names.</summary>
    private const int MaxFrameBytes = 48;

    /// <summary>The most wishes of a caller, and the bytes of each: the frame of a header, its name and its number.</summary>
    private const int MostWishes = 4, MaxWishBytes = 40;

    // The message before its end is known; one for each thread, because a thread writes one message at a time.
    [ThreadStatic]
    private static byte[]? _scratch;

    /// <summary>Writes the call of a job.</summary>
    /// <param name="sink">The link.</param>
    /// <param name="job">The job; its channel is set.</param>
    /// <param name="nowMs">The time of the loop, ms.</param>
    public static void Write(MessageSink sink, Job job, long nowMs)
    {
        ReadOnlySpan<byte> headers = job.Request.Headers;
        byte[] task = job.Task.Utf8Name;
        int most = MaxFrameBytes + job.Event.Length + task.Length + headers.Length + (MostWishes * MaxWishBytes);
        Span<byte> to = Scratch(most);
        JobPolicy policy = job.Policy;
        int wishes = CountWishes(in policy);
        to[0] = headers.IsEmpty && wishes == 0 ? (byte)0x93 : (byte)0x94;
        int at = 1 + MsgPackEncoder.WriteUnsigned(to[1..], job.SlaveChannel);
        to[at++] = MessageType.Chunk;
        at += MsgPackEncoder.WriteArrayHead(to[at..], 2);
        at += WriteBytes(to[at..], job.Event);
        at += WriteBytes(to[at..], task);
        if (to[0] == 0x94)
        {
            at += WriteHeaders(to[at..], headers, wishes, in policy, LeftMs(job, nowMs));
        }

        Send(sink, to[..at]);
    }

    /// <summary>Reads the name of the task behind the event; empty when there is none.</summary>
    public static ReadOnlySpan<byte> TaskOf(in MessageView message)
    {
        ArgumentReader reader = new(message.AfterData);
        ReadOnlySpan<byte> task = reader.Bytes(1, PeerLimits.MaxNameBytes);
        return reader.IsWhole ? task : default;
    }

    /// <summary>The part of the deadline that is left, ms, 1 at least; 0 when there is none.</summary>
    private static long LeftMs(Job job, long nowMs)
    {
        long deadline = job.Policy.DeadlineMs;
        return deadline == 0 ? 0 : Math.Max(1, deadline - Math.Max(0, nowMs - Core.Timing.Clock.MsOf(job.ArrivedNs)));
    }

    private static int CountWishes(in JobPolicy policy) =>
        (policy.DeadlineMs > 0 ? 1 : 0) + (policy.SilenceTimeoutMs > 0 ? 1 : 0) + (policy.Urgent ? 1 : 0)
        + (policy.RetryLimit is null ? 0 : 1);

    private static int WriteHeaders(Span<byte> to, ReadOnlySpan<byte> own, int wishes, in JobPolicy policy, long leftMs)
    {
        int count = 0;
        if (!own.IsEmpty && MsgPackToken.TryRead(own, out MsgPackToken head) == MsgPackStatus.Ok) // the node has written it itself
        {
            count = (int)head.Bits;
            own = own[head.HeadBytes..];
        }

        int at = MsgPackEncoder.WriteArrayHead(to, (uint)(count + wishes));
        own.CopyTo(to[at..]);
        at += own.Length;
        at += WriteWish(to[at..], "request_timeout"u8, leftMs);
        at += WriteWish(to[at..], "silence_timeout"u8, policy.SilenceTimeoutMs);
        at += WriteWish(to[at..], "urgent"u8, policy.Urgent ? 1 : 0);
        return policy.RetryLimit is { } limit ? at + HeaderSet.WriteNumber(to[at..], "retry_limit"u8, (ulong)limit) : at;
    }

    private static int WriteWish(Span<byte> to, ReadOnlySpan<byte> name, long value) =>
        value > 0 ? HeaderSet.WriteNumber(to, name, (ulong)value) : 0;

    private static int WriteBytes(Span<byte> to, ReadOnlySpan<byte> bytes)
    {
        int at = MsgPackEncoder.WriteBinaryHead(to, (uint)bytes.Length);
        bytes.CopyTo(to[at..]);
        return at + bytes.Length;
    }

    private static Span<byte> Scratch(int bytes)
    {
        if (_scratch is null || _scratch.Length < bytes)
        {
            _scratch = new byte[Math.Max(bytes, 1024)];
        }

        return _scratch;
    }

    private static void Send(MessageSink sink, ReadOnlySpan<byte> message)
    {
        if (message.Length > sink.MaxContiguousBytes)
        {
            sink.WriteLong(message, default, default);
            return;
        }

        message.CopyTo(sink.BeginMessage(message.Length));
        sink.EndMessage(message.Length);
    }
}
