using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Backends.Processes;

/// <summary>How a process ended.</summary>
/// <param name="BySignal">A signal ended it, and <paramref name="Status"/> is that signal; else it is the exit code.</param>
/// <param name="Status">The exit code, or the signal.</param>
internal readonly record struct ProcessEnd(bool BySignal, int Status)
{
    /// <summary>Of a process whose end somebody else in this program has taken.</summary>
    public static readonly ProcessEnd Unknown = new(false, -1);

    /// <summary>It was ended by SIGKILL: by us, by another process, or by the kernel when memory ran out.</summary>
    public bool IsKill => BySignal && Status == LibC.SIGKILL;

    public override string ToString() =>
        this == Unknown ? "ended, nobody knows how" : BySignal ? SignalName.Of(Status) : $"exit code {Status}";
}
