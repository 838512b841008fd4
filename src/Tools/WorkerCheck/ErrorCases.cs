using System.Text;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>Errors of every kind, and callers that give up.</summary>
internal static class ErrorCases
{
    private const string Reason = "no luck: grün";

    public static void Exception(Conversation c)
    {
        ulong channel = c.Open("raises");
        c.Chunk(channel, Encoding.UTF8.GetBytes(Reason));
        c.Close(channel);
        IsError(c.NextError(channel), ErrorCodes.AppError, Reason);
        c.Settle();
    }

    public static void AfterChunks(Conversation c)
    {
        ulong channel = c.Open("raises_late");
        c.Chunk(channel, Encoding.UTF8.GetBytes(Reason));
        c.Close(channel);
        string text = c.NextText(channel);
        if (text != "first")
        {
            throw new CheckFailure($"the chunk before the error is \"{RequestCases.Short(text)}\", not \"first\"");
        }

        IsError(c.NextError(channel), ErrorCodes.AppError, Reason);
        c.Settle();
    }

    public static void OfTheApp(Conversation c)
    {
        ulong channel = c.Open("refuses");
        c.Close(channel);
        Received error = c.NextError(channel);
        if (error.Code != 77 || error.Category == ErrorCodes.Category || error.Text != "mine")
        {
            throw new CheckFailure($"the app's own error came as [[{error.Category}, {error.Code}], \"{error.Text}\"], "
                + "not as [[42, 77], \"mine\"]");
        }

        c.Settle();
    }

    public static void UnknownEvent(Conversation c)
    {
        ulong channel = c.Open("no_such_event");
        c.Chunk(channel, "a chunk that is late for a worker that has answered"u8.ToArray());
        c.Close(channel);
        IsError(c.NextError(channel), ErrorCodes.NotFound, "");
        c.Settle();
    }

    public static void Cancel(Conversation c) =>
        CancelWaiting(c, ErrorCodes.Category, ErrorCodes.DeadlineError, "the deadline passed", "waits was cancelled");

    /// <summary>The caller gives up with an error of its own: the handler can tell it from a caller that went away.</summary>
    public static void CancelWithError(Conversation c) =>
        CancelWaiting(
            c, ErrorCodes.FrameworkCategory, -7, Reason, $"waits was cancelled by [{ErrorCodes.FrameworkCategory}, -7]: {Reason}");

    private static void CancelWaiting(Conversation c, int category, int code, string reason, string line)
    {
        ulong channel = c.Open("waits");
        string text = c.NextText(channel);
        if (text != "waiting")
        {
            throw new CheckFailure($"waits answered \"{RequestCases.Short(text)}\", not \"waiting\"");
        }

        c.Cancel(channel, category, code, reason);
        c.NextTerminal(channel);
        c.Until(() => c.Process.StandardError.Contains(line, StringComparison.Ordinal),
            $"the handler did not see the cancel: no line \"{line}\" on stderr", 1, endIsGood: false);
        c.Settle();
    }

    public static void CancelAfterEnd(Conversation c)
    {
        ulong channel = c.Open("sleeps");
        c.Chunk(channel, "300"u8.ToArray());
        c.Close(channel);
        if (c.SpeaksBin)
        {
            // An old worker would take it for a broken protocol, so the node does not send it either.
            c.Cancel(channel, ErrorCodes.Category, ErrorCodes.DeadlineError, "the deadline passed");
        }

        c.NextTerminal(channel);
        c.Settle();
    }

    private static void IsError(Received error, int code, string reason)
    {
        if (error.Category != ErrorCodes.Category || error.Code != code)
        {
            throw new CheckFailure($"the error is [[{error.Category}, {error.Code}], \"{RequestCases.Short(error.Text)}\"], "
                + $"not [[{ErrorCodes.Category}, {code}], …]");
        }

        if (!error.Text.Contains(reason, StringComparison.Ordinal))
        {
            throw new CheckFailure($"the error's reason \"{RequestCases.Short(error.Text)}\" does not have the exception's text");
        }
    }
}
