using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>The node and the worker hold the chunks of one channel. A worker that does not offer flow control passes.</summary>
internal static class FlowCases
{
    /// <summary>Chunks of the answer: some megabytes, more than any buffer between a handler and the node.</summary>
    private const int Counted = 200_000;

    /// <summary>A channel that is silent for so long is held.</summary>
    private const int QuietMs = 300;

    private const int ChunkBytes = 64 << 10;

    /// <summary>So far above a channel, none was opened.</summary>
    private const int Unknown = 1000;

    /// <summary>The request's chunks: several times as many bytes as may be unread.</summary>
    private const int RequestChunks = 64;

    /// <summary>Chunks within which the worker must have asked to hold: as many as may be unread, and buffers on the way.</summary>
    private const int MostUnread = 32;

    /// <summary>An interpreter writes the answer chunk by chunk.</summary>
    private const double LongPatience = 6;

    public static void Answer(Conversation c)
    {
        c.Settle();
        if (!c.HasFlow)
        {
            return;
        }

        ulong channel = c.Open("count");
        c.Chunk(channel, Encoding.ASCII.GetBytes(Counted.ToString(CultureInfo.InvariantCulture)));
        c.Close(channel);
        c.Flow(channel, hold: true);
        ulong other = c.Open("echo"); // answered meanwhile by a worker that runs several at once
        c.Chunk(other, "other"u8.ToArray());
        c.Close(other);
        UntilHeld(c, channel);
        c.Flow(channel, hold: true);        // once more is the same
        c.Flow(channel + Unknown, hold: true);
        c.Flow(channel, hold: false);
        c.Flow(channel, hold: true);
        UntilHeld(c, channel);
        c.Flow(channel, hold: false);
        for (int i = 0; i < Counted; i++)
        {
            Expect(c, channel, i);
        }

        if (c.Next(channel, LongPatience).Type != Core.Protocol.MessageType.Close)
        {
            throw new CheckFailure("count did not end after its last chunk");
        }

        RequestCases.Same("other"u8.ToArray(), c.ReadAll(other));
        c.Settle();
    }

    public static void Request(Conversation c)
    {
        c.Settle();
        if (!c.HasFlow)
        {
            return;
        }

        ulong channel = c.Open("relay");
        c.Flow(channel, hold: true); // the handler stops at its first answer, and reads no more
        byte[][] chunks = [.. Enumerable.Range(0, RequestChunks).Select(_ => RequestCases.Random(ChunkBytes))];
        int sent = 0;
        while (!c.IsRequestHeld(channel) && sent < MostUnread)
        {
            c.Chunk(channel, chunks[sent++]);
        }

        c.Until(() => c.IsRequestHeld(channel), $"it did not ask to hold a request with {sent * ChunkBytes} bytes unread", 1, false);
        c.Flow(channel, hold: false);
        c.Until(() => !c.IsRequestHeld(channel), "it did not ask to go on with a request that its handler reads", LongPatience, false);
        while (sent < RequestChunks)
        {
            c.Until(() => !c.IsRequestHeld(channel), "it did not ask to go on with a request that its handler reads", LongPatience, false);
            c.Chunk(channel, chunks[sent++]);
        }

        c.Close(channel);
        RequestCases.Same([.. chunks.SelectMany(chunk => chunk)], c.ReadAll(channel, LongPatience));
        c.Settle();
    }

    /// <summary>Waits until nothing comes any more: the rest of the answer is held.</summary>
    private static void UntilHeld(Conversation c, ulong channel)
    {
        int seen = -1;
        Stopwatch quiet = Stopwatch.StartNew();
        c.Until(
            () =>
            {
                if (c.Waiting(channel) != seen)
                {
                    seen = c.Waiting(channel);
                    quiet.Restart();
                }

                return quiet.ElapsedMilliseconds > QuietMs;
            },
            "it went on with an answer that it was asked to hold", LongPatience, endIsGood: false);
        if (seen >= Counted)
        {
            throw new CheckFailure("it sent its whole answer although it was asked to hold");
        }
    }

    private static void Expect(Conversation c, ulong channel, int number)
    {
        string expected = number.ToString(CultureInfo.InvariantCulture);
        string text = Encoding.UTF8.GetString(c.Next(channel, LongPatience).Data);
        if (text != expected)
        {
            throw new CheckFailure($"chunk {number} of count is \"{RequestCases.Short(text)}\", not \"{expected}\"");
        }
    }
}
