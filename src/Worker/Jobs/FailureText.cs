using System.Text;

namespace Cocaine.Fast.Worker;

/// <summary>
/// Any exception as text: also with a Message or a StackTrace that throws or is null, a chain without end, or an aggregate of a million
/// others. The text is never longer than its bound, and the method never throws.
/// </summary>
internal static class FailureText
{
    /// <summary>The exception's name and text, for the caller. It has no stack, and no path of the SDK.</summary>
    public static string Reason(Exception failure) => Cut(Line(failure));

    /// <summary>Writes names, texts and stacks to stderr. When stderr cannot be written to, this is no failure of the app.</summary>
    public static void Print(Exception failure) => PrintLine(Details(failure));

    /// <inheritdoc cref="Print"/>
    public static void PrintLine(string text)
    {
        try
        {
            Console.Error.WriteLine(text);
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or UnauthorizedAccessException)
        {
            // closed, or on a full disk
        }
    }

    /// <summary>The exception, its inner exceptions, and their stacks.</summary>
    public static string Details(Exception failure)
    {
        StringBuilder text = new();
        Exception? next = failure;
        for (int shown = 0; next is not null; shown++, next = Inner(next))
        {
            if (shown == Limits.ShownFailures || text.Length > Limits.LogTextChars)
            {
                text.Append("\n ---> and more");
                break;
            }

            text.Append(shown == 0 ? "" : "\n ---> ").Append(Cut(Line(next)));
            if (Try(next, static one => one.StackTrace) is { Length: > 0 } stack)
            {
                text.Append('\n').Append(stack.AsSpan(0, Math.Min(stack.Length, Limits.LogTextChars)));
            }
        }

        return text.ToString();
    }

    /// <summary>The text, or as much of it as the bound of a reason allows.</summary>
    public static string Cut(string text) =>
        text.Length <= Limits.FailureTextChars ? text : string.Concat(text.AsSpan(0, Limits.FailureTextChars - 4), " ...");

    private static string Line(Exception failure)
    {
        // The message of an aggregate contains those of all its exceptions, however many there are.
        if (failure is AggregateException { InnerExceptions: { Count: > 0 } inner })
        {
            Exception first = inner[0];
            string name = first is AggregateException ? first.GetType().Name : $"{first.GetType().Name}: {Message(first)}";
            return inner.Count == 1 ? $"AggregateException: {name}" : $"AggregateException: {inner.Count} exceptions, the first is {name}";
        }

        return $"{failure.GetType().Name}: {Message(failure)}";
    }

    private static string Message(Exception failure) => Try(failure, static one => one.Message) ?? "(its text cannot be shown)";

    private static Exception? Inner(Exception failure) =>
        failure is AggregateException { InnerExceptions: { Count: > 0 } inner } ? inner[0] : failure.InnerException;

    private static string? Try(Exception failure, Func<Exception, string?> read)
    {
        try
        {
            return read(failure);
        }
        catch (Exception)
        {
            return null; // the app's own code, which may throw anything
        }
    }
}
