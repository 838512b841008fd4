using System.Runtime.InteropServices;

namespace Cocaine.Fast.Host.Terminal;

/// <summary>Remembers which signal interrupts the command. The parser's library ends the command, and does not tell.</summary>
internal static class Interruption
{
    private static PosixSignalRegistration? _registration;

    /// <summary>The last of the two signals; SIGINT before there was any.</summary>
    public static PosixSignal Signal { get; private set; } = PosixSignal.SIGINT;

    /// <summary>Begins to listen for SIGTERM. Everybody else hears the signal as before.</summary>
    public static void Watch() => _registration ??= PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Signal = context.Signal);
}
