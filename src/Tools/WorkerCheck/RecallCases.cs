namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>The node takes calls back that stand in the worker's ring, or on its socket.</summary>
internal static class RecallCases
{
    private const int Waiting = 20;

    /// <summary>
    /// Calls stand behind a slow one, and the node takes back those that the worker has not begun. A worker that never writes
    /// <c>begun</c> is given no calls ahead of their turn, and passes.
    /// </summary>
    public static void Recall(Conversation c)
    {
        c.Settle();
        if (!c.End.TellsBegun)
        {
            return;
        }

        ulong slow = Open(c, "sleeps", "300");
        ulong[] behind = [.. Enumerable.Range(0, Waiting).Select(i => Open(c, "echo", $"{i}"))];
        IReadOnlyList<ulong> taken = c.Recall();
        foreach (ulong channel in behind.Append(slow).Except(taken))
        {
            _ = c.ReadAll(channel);
        }

        c.Settle(); // an answer of a call that was taken back would come before
    }

    private static ulong Open(Conversation c, string name, string request)
    {
        ulong channel = c.Open(name);
        c.Chunk(channel, System.Text.Encoding.UTF8.GetBytes(request));
        c.Close(channel);
        return channel;
    }
}
