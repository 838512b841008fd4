using Cocaine.Fast.Core.Terminal;

namespace Cocaine.Fast.Host.Terminal;

/// <summary>
/// Mistakes and failures, on standard error. Every text that may be of someone else is shown so that it cannot drive the terminal.
/// </summary>
internal static class Complaint
{
    /// <summary>Says something of the program's own, over the lines that it has.</summary>
    public static void Say(string text) => Console.Error.WriteLine(PlainText.Lines(text));

    /// <summary>Says what a peer or an app said: its further lines are indented, so that they do not pass for the program's.</summary>
    public static void SayOfPeer(string text) => Console.Error.WriteLine(PlainText.Indented(text));
}
