using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Lifetime;

/// <summary>
/// The signals of a node that runs as a process. The first signal that asks for the end drains the node, the second ends it at once, and
/// each has a line in the log: only SIGKILL ends a node without a line. The table is in docs/node.md.
/// </summary>
internal sealed class NodeSignals : IDisposable
{
    // Numbers of x86-64 and aarch64; .NET has no names for these.
    private const PosixSignal User1 = (PosixSignal)10, User2 = (PosixSignal)12, Alarm = (PosixSignal)14;

    private readonly ILogger _log;
    private readonly Action? _onHangUp;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _stopNow = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private string _cause = "";

    /// <param name="log">The program's log.</param>
    /// <param name="onHangUp">The action at SIGHUP; null when SIGHUP asks for the end, as for a program whose terminal is closed.</param>
    public NodeSignals(ILogger log, Action? onHangUp = null)
    {
        _log = log;
        _onHangUp = onHangUp;
        foreach (PosixSignal signal in new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT })
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, OnStop));
        }

        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnHangUp));
        foreach (PosixSignal signal in new[] { User1, User2, Alarm })
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, OnOther));
        }
    }

    /// <summary>The node should drain and end.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>The node should end at once.</summary>
    public CancellationToken StopNow => _stopNow.Token;

    /// <summary>The first signal that asked for the end.</summary>
    public string Cause => Volatile.Read(ref _cause);

    /// <summary>Completes with the first signal that asks for the end.</summary>
    public async Task UntilStopAsync()
    {
        try
        {
            await Task.Delay(Timeout.Infinite, Stop);
        }
        catch (OperationCanceledException)
        {
            // the awaited end
        }
    }

    public void Dispose()
    {
        _registrations.ForEach(registration => registration.Dispose());
        _registrations.Clear();
    }

    private static string NameOf(PosixSignal signal) => signal switch
    {
        User1 => "SIGUSR1",
        User2 => "SIGUSR2",
        Alarm => "SIGALRM",
        _ => signal.ToString(),
    };

    private void OnStop(PosixSignalContext context)
    {
        context.Cancel = true;
        string name = NameOf(context.Signal);
        if (Interlocked.CompareExchange(ref _cause, name, "").Length == 0)
        {
            _stop.Cancel();
        }
        else
        {
            SignalLog.Again(_log, name);
            _stopNow.Cancel();
        }
    }

    private void OnHangUp(PosixSignalContext context)
    {
        context.Cancel = true;
        if (_onHangUp is not null)
        {
            _onHangUp();
        }
        else if (Cause.Length == 0)
        {
            OnStop(context); // never as the second signal: when a terminal is closed, the kernel and the shell both send SIGHUP
        }
    }

    private void OnOther(PosixSignalContext context)
    {
        context.Cancel = true;
        SignalLog.Ignored(_log, NameOf(context.Signal));
    }
}

internal static partial class SignalLog
{
    [LoggerMessage(623, LogLevel.Warning, "{Signal} is the second signal to stop: the node ends at once")]
    public static partial void Again(ILogger log, string signal);

    [LoggerMessage(624, LogLevel.Information,
        "{Signal} is ignored: it means nothing to a node. SIGTERM, SIGINT and SIGQUIT drain and end it")]
    public static partial void Ignored(ILogger log, string signal);
}
