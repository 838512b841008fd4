using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Backends.Processes;

/// <summary>How a process ended.</summary>
/// <param name="BySignal">
/// True when a signal ended the process: <paramref name="Status"/> is the signal. Otherwise it is the exit code.
/// </param>
/// <param name="Status">The exit code, or the signal.</param>
internal readonly record struct ProcessEnd(bool BySignal, int Status)
{
    /// <summary>The end of a process when another part of this program has taken it.</summary>
    public static readonly ProcessEnd Unknown = new(false, -1);

    /// <summary>SIGKILL ended the process: sent by the node, by another process, or by the kernel when memory ran out.</summary>
    public bool IsKill => BySignal && Status == LibC.SIGKILL;

    public override string ToString() =>
        this == Unknown ? "ended, nobody knows how" : BySignal ? SignalName.Of(Status) : $"exit code {Status}";
}
