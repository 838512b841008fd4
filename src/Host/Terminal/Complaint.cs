using Cocaine.Fast.Core.Terminal;

namespace Cocaine.Fast.Host.Terminal;

/// <summary>
/// Prints mistakes and failures on standard error. Every text that may come from outside is shown so that it cannot control the terminal.
/// </summary>
internal static class Complaint
{
    /// <summary>Prints a text of the program, with its line breaks.</summary>
    public static void Say(string text) => Console.Error.WriteLine(PlainText.Lines(text));

    /// <summary>
    /// Prints a text of a peer or an app: its further lines are indented, so that they do not look like the program's own.
    /// </summary>
    public static void SayOfPeer(string text) => Console.Error.WriteLine(PlainText.Indented(text));
}
