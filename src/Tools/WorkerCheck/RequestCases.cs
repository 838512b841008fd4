using System.Globalization;
using System.Text;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>Requests and answers of every size and cut.</summary>
internal static class RequestCases
{
    /// <summary>64 MiB by an interpreter, through a ring of 64 KiB or a socket.</summary>
    private const double LargePatience = 6;

    public static void Empty(Conversation c) => Same([], c.Call("echo"));

    public static void Echo(Conversation c, int size)
    {
        byte[] data = Random(size);
        ulong channel = c.Open("echo");
        c.Chunk(channel, data);
        c.Close(channel);
        Same(data, c.ReadAll(channel, size > 2 << 20 ? LargePatience : 1));
        c.Settle();
    }

    /// <summary>
    /// The answer is longer than a message may be. The worker sends it in pieces, or refuses the long chunk as an error of this call; the
    /// worker and its other calls go on.
    /// </summary>
    public static void OverLimit(Conversation c)
    {
        const int Pieces = 65;
        byte[] piece = Random(1 << 20);
        ulong channel = c.Open("echo");
        for (int i = 0; i < Pieces; i++)
        {
            c.Chunk(channel, piece);
        }

        c.Close(channel);
        long bytes = 0;
        Received message;
        while ((message = c.Next(channel, LargePatience)).Type == MessageType.Chunk)
        {
            bytes += message.Data.Length;
        }

        bool isRefused = message is { Type: MessageType.Error, Category: ErrorCodes.Category, Code: ErrorCodes.TooLarge };
        if (!isRefused && (message.Type != MessageType.Close || bytes != Pieces * piece.Length))
        {
            throw new CheckFailure($"an answer of {Pieces} MiB came as {bytes} bytes and the error [[{message.Category}, {message.Code}], "
                + $"\"{Short(message.Text)}\"], not whole, and not as the error [[{ErrorCodes.Category}, {ErrorCodes.TooLarge}], …]");
        }

        c.Settle();
    }

    public static void ChunkedRequest(Conversation c)
    {
        byte[][] chunks = [.. Enumerable.Range(0, 100).Select(i => Random(i * 37))];
        Same(chunks.SelectMany(chunk => chunk).ToArray(), c.Call("echo", chunks));
        c.Settle();
    }

    public static void ChunkedAnswer(Conversation c)
    {
        ulong channel = c.Open("count");
        c.Chunk(channel, Encoding.ASCII.GetBytes("100"));
        c.Close(channel);
        for (int i = 0; i < 100; i++)
        {
            string expected = i.ToString(CultureInfo.InvariantCulture);
            string text = c.NextText(channel);
            if (text != expected)
            {
                throw new CheckFailure($"chunk {i} of count is \"{Short(text)}\", not \"{expected}\"");
            }
        }

        EndsWithClose(c, channel);
        Same([], c.Call("count", Encoding.ASCII.GetBytes("0")));
        c.Settle();
    }

    public static void BothWays(Conversation c)
    {
        ulong channel = c.Open("relay");
        for (int i = 0; i < 10; i++)
        {
            string text = $"chunk {i}";
            c.Chunk(channel, Encoding.ASCII.GetBytes(text));
            string answer = c.NextText(channel); // before the next one is sent
            if (answer != text)
            {
                throw new CheckFailure($"relay answered \"{Short(answer)}\" to \"{text}\"");
            }
        }

        c.Close(channel);
        EndsWithClose(c, channel);
        c.Settle();
    }

    /// <summary>
    /// Invoke, chunk and close come together. A handler that reads finds them in the worker's buffer, and nothing else comes to wake it.
    /// </summary>
    public static void AtOnce(Conversation c)
    {
        ulong channel = c.CallAtOnce("relay", "all here"u8);
        string answer = c.NextText(channel);
        if (answer != "all here")
        {
            throw new CheckFailure($"relay answered \"{Short(answer)}\" to \"all here\"");
        }

        EndsWithClose(c, channel);
    }

    public static void Interleaved(Conversation c)
    {
        const int Channels = 20, Rounds = 5;
        ulong[] channels = [.. Enumerable.Range(0, Channels).Select(_ => c.Open("echo"))];
        for (int round = 0; round < Rounds; round++)
        {
            foreach (ulong channel in channels)
            {
                c.Chunk(channel, Encoding.ASCII.GetBytes($"{channel}/{round} "));
            }
        }

        foreach (ulong channel in channels.Reverse())
        {
            c.Close(channel);
        }

        foreach (ulong channel in channels)
        {
            string expected = string.Concat(Enumerable.Range(0, Rounds).Select(round => $"{channel}/{round} "));
            Same(Encoding.ASCII.GetBytes(expected), c.ReadAll(channel));
        }

        c.Settle();
    }

    public static void Numbers(Conversation c)
    {
        foreach (ulong number in (ulong[])[127, 128, 255, 256, 65_535, 65_536, uint.MaxValue, 1UL << 32])
        {
            c.SkipTo(number);
            byte[] data = Random(300);
            Same(data, c.Call("echo", data));
        }
    }

    /// <summary>On the socket byte by byte; on the pipe several messages in one record, and long messages in many.</summary>
    public static void Pieces(Conversation c)
    {
        byte[] data = Random(100_000);
        if (c.End.OnPipe)
        {
            ulong first = c.Open("echo");
            c.Chunk(first, data);
            c.Close(first);
            ulong second = c.Open("echo");
            c.Chunk(second, Encoding.ASCII.GetBytes("short"));
            c.Close(second);
            Same(data, c.ReadAll(first));
            Same("short"u8, c.ReadAll(second));
            return;
        }

        ulong channel = c.Open("echo");
        MemorySink sink = new();
        MessageWriter.WriteChunk(sink, channel, new Payload("byte by byte"u8), c.SpeaksBin);
        foreach (byte one in sink.Written.ToArray())
        {
            c.End.Send([one]);
            c.End.Pump(0);
        }

        c.Close(channel);
        Same("byte by byte"u8, c.ReadAll(channel));
        c.Settle();
    }

    public static void EndsWithClose(Conversation c, ulong channel)
    {
        Received last = c.Next(channel);
        if (last.Type != MessageType.Close)
        {
            throw new CheckFailure(last.Type == MessageType.Chunk
                ? $"one chunk more than was due: \"{Short(Encoding.UTF8.GetString(last.Data))}\""
                : $"it ended with the error [[{last.Category}, {last.Code}], \"{last.Text}\"], not with a close");
        }
    }

    public static void Same(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual)
    {
        if (expected.SequenceEqual(actual))
        {
            return;
        }

        int at = expected.CommonPrefixLength(actual);
        throw new CheckFailure(expected.Length == actual.Length ? $"the answer differs from byte {at} on"
            : $"the answer has {actual.Length} bytes, not {expected.Length}, and differs from byte {at} on");
    }

    public static string Short(string text) => text.Length <= 60 ? text : text[..60] + "…";

    public static byte[] Random(int size)
    {
        byte[] data = new byte[size];
        new Random(size).NextBytes(data);
        return data;
    }
}
