using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Pools;

/// <summary>
/// Recognizes a failed start that has the same cause as the one before. An app with a mistake in its code fails at every try. Its whole
/// cause is worth reading once; after that the log has one line. Lives on the engine's loop.
/// </summary>
internal sealed class StartFailures
{
    private string? _cause;  // the cause of the last failed start; null once a start has succeeded
    private long _sinceMs;   // when the cause was seen first; valid while there is one
    private int _times;

    /// <summary>Logs the end of a slave that was never ready.</summary>
    public void Log(EngineScope scope, Slave slave, string cause, string jobs)
    {
        if (cause == _cause)
        {
            PoolLog.DiedAgain(
                scope.Log, scope.Name, slave.ShortId, ++_times, (scope.Loop.NowMs - _sinceMs) / 1000, ShortOf(cause));
            return;
        }

        (_cause, _sinceMs, _times) = (cause, scope.Loop.NowMs, 1);
        PoolLog.Died(scope.Log, scope.Name, slave.ShortId, SlaveState.Starting, cause, jobs);
    }

    /// <summary>A start has succeeded.</summary>
    public void Clear() => _cause = null;

    /// <summary>
    /// A cause on one line: how the slave ended, and the last line that it printed, where most languages have the error's text.
    /// </summary>
    public static string ShortOf(string cause)
    {
        string[] lines = cause.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.Length < 2 ? cause : $"{lines[0]}: {lines[^1]}";
    }
}
