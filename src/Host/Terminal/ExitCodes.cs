using System.Runtime.InteropServices;

namespace Cocaine.Fast.Host.Terminal;

/// <summary>The meaning of the program's exit codes.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>The command tried and failed: an error answer, an app that cannot start.</summary>
    public const int Failed = 1;

    /// <summary>A manifest or an argument is wrong; nothing was started.</summary>
    public const int Invalid = 2;

    /// <summary>No connection.</summary>
    public const int NoConnection = 3;

    /// <summary>Interrupted: 128 and the number of the signal, as shells say it.</summary>
    public static int Interrupted => Interruption.Signal == PosixSignal.SIGTERM ? 143 : 130;
}
