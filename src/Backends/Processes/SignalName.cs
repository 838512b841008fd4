namespace Cocaine.Fast.Backends.Processes;

/// <summary>The names of signals, for people: number and name.</summary>
internal static class SignalName
{
    /// <summary>The numbers of signal(7) on x86 and ARM, from 1 on.</summary>
    private static readonly string[] Names =
    [
        "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2",
        "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU",
        "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
    ];

    /// <summary><c>signal 9 (SIGKILL)</c>; a signal without a name is its number.</summary>
    public static string Of(int signal) =>
        signal >= 1 && signal <= Names.Length ? $"signal {signal} ({Names[signal - 1]})" : $"signal {signal}";
}
