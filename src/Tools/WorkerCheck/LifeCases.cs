namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>Heartbeats, and the ways in which a worker ends.</summary>
internal static class LifeCases
{
    public static void SlowHandler(Conversation c)
    {
        ulong channel = c.Open("sleeps");
        c.Chunk(channel, "1500"u8.ToArray());
        c.Close(channel);
        string text = c.NextText(channel);
        if (text != "slept")
        {
            throw new CheckFailure($"sleeps answered \"{RequestCases.Short(text)}\", not \"slept\"");
        }

        RequestCases.EndsWithClose(c, channel);
        c.Settle();
    }

    /// <summary>
    /// A handler waits for its request, and there is no other work: heartbeats must continue, and their answers must disturb nobody.
    /// </summary>
    public static void Heartbeats(Conversation c)
    {
        ulong channel = c.Open("waits");
        _ = c.NextText(channel);
        int before = c.Heartbeats;
        double patience = c.Options.LongestSilence / c.Options.Patience;
        c.Until(() => c.Heartbeats > before, "no heartbeat came while a handler waited", patience, endIsGood: false);
        c.Close(channel);
        string text = c.NextText(channel);
        if (text != "done")
        {
            throw new CheckFailure($"waits ended with \"{RequestCases.Short(text)}\", not \"done\"");
        }

        RequestCases.EndsWithClose(c, channel);
        c.Settle();
    }

    public static void Terminate(Conversation c)
    {
        c.Settle();
        c.Terminate();
        EndsWithZero(c);
    }

    public static void TerminateBusy(Conversation c)
    {
        ulong channel = c.Open("sleeps");
        c.Chunk(channel, "700"u8.ToArray());
        c.Close(channel);
        c.Terminate();
        string text;
        try
        {
            text = c.NextText(channel);
        }
        catch (CheckFailure failure)
        {
            throw new CheckFailure($"the job that ran at the terminate was not finished: {failure.Message}");
        }

        if (text != "slept")
        {
            throw new CheckFailure($"the job that ran at the terminate answered \"{RequestCases.Short(text)}\", not \"slept\"");
        }

        RequestCases.EndsWithClose(c, channel);
        EndsWithZero(c);
    }

    public static void Disown(Conversation c)
    {
        c.Settle();
        c.End.CloseSocket();
        UntilDisowned(c);
    }

    public static void DisownBusy(Conversation c)
    {
        ulong channel = c.Open("waits");
        _ = c.NextText(channel);
        c.End.CloseSocket();
        UntilDisowned(c);
    }

    public static void RefusedPipe(Conversation c)
    {
        c.Settle();
        c.Terminate();
        EndsWithZero(c);
    }

    private static void UntilDisowned(Conversation c) =>
        c.Until(() => c.Process.End is not null, "the node has gone, and the worker did not end of its own", 1, endIsGood: true);

    private static void EndsWithZero(Conversation c)
    {
        c.Until(() => c.Process.End is not null, "after the terminate it did not end", 1, endIsGood: true);
        if (!c.Process.ExitedWithZero)
        {
            throw new CheckFailure(
                $"after the terminate it ended with {c.Process.End}, not with exit code 0 {c.Process.LastLines()}".TrimEnd());
        }
    }
}
