using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Backends.Processes;

/// <summary>
/// A worker's lines on their way into the log. When several workers start at once, only the lines of one are logged, and after a failed
/// start of none. The lines of the others are held until they are ready or have failed, so that the same traceback is not logged with every
/// try. Lives on the engine's loop.
/// </summary>
internal sealed class WorkerLines
{
    /// <summary>
    /// The most lines that are held: with more lines, the output is not just the traceback of the last failure, and it is logged.
    /// </summary>
    private const int MaxHeld = 100;

    private readonly StartsHeard _starts;
    private readonly ILogger _log;
    private readonly string _app;
    private readonly string _slave;
    private List<(bool IsError, string Line)>? _held; // null: lines go to the log at once

    public WorkerLines(StartsHeard starts, ILogger log, string app, string slave)
    {
        _starts = starts;
        _log = log;
        _app = app;
        _slave = slave;
        _held = starts.TryHear(this) ? null : [];
    }

    public void Add(bool isError, string line)
    {
        if (_held is null)
        {
            Log(isError, line);
            return;
        }

        _held.Add((isError, line));
        if (_held.Count > MaxHeld)
        {
            Release();
        }
    }

    /// <summary>The worker is ready.</summary>
    public void OnReady()
    {
        OnEnd();
        _starts.OnReady();
    }

    /// <summary>
    /// The worker has ended before it was ready. The held lines are dropped when the last worker ended for the same reason.
    /// </summary>
    public void OnStartFailed(string cause)
    {
        if (_starts.OnFailed(cause))
        {
            _held = null;
        }

        OnEnd();
    }

    /// <summary>The worker is no longer starting.</summary>
    public void OnEnd()
    {
        _starts.End(this);
        Release();
    }

    private void Release()
    {
        foreach ((bool isError, string line) in _held ?? [])
        {
            Log(isError, line);
        }

        _held = null;
    }

    private void Log(bool isError, string line)
    {
        if (isError)
        {
            ProcessLog.Errors(_log, _app, _slave, line);
        }
        else
        {
            ProcessLog.Output(_log, _app, _slave, line);
        }
    }
}
