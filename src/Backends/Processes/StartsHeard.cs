namespace Cocaine.Fast.Backends.Processes;

/// <summary>
/// Which starting worker of an app is heard in the log: of workers that start at once only one, and after a failed start none until one
/// is ready. Lives on the engine's loop.
/// </summary>
internal sealed class StartsHeard
{
    private object? _heard;     // null when none is starting, or none is heard
    private string? _failure;   // why the last start failed; null when it did not

    /// <summary>True when this worker is the one that is heard, until its <see cref="End"/>.</summary>
    public bool TryHear(object worker)
    {
        if (_failure is not null || _heard is not null)
        {
            return false;
        }

        _heard = worker;
        return true;
    }

    /// <summary>The worker is no longer starting.</summary>
    public void End(object worker)
    {
        if (_heard == worker)
        {
            _heard = null;
        }
    }

    /// <summary>A worker is ready.</summary>
    public void OnReady() => _failure = null;

    /// <summary>A worker has ended before it was ready; true when the start before it failed of the same cause.</summary>
    public bool OnFailed(string cause)
    {
        bool isSame = cause == _failure;
        _failure = cause;
        return isSame;
    }
}
