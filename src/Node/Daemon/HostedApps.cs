namespace Cocaine.Fast.Node.Daemon;

/// <summary>The apps of a daemon: running apps, and apps that should run and do not. From any thread.</summary>
internal sealed class HostedApps
{
    private readonly Dictionary<string, HostedApp> _running = [];
    private readonly Dictionary<string, string> _failed = []; // reasons of failures, by app
    private readonly Lock _lock = new();

    public HostedApp? Find(string name)
    {
        lock (_lock)
        {
            return _running.GetValueOrDefault(name);
        }
    }

    public IReadOnlyList<HostedApp> Running
    {
        get
        {
            lock (_lock)
            {
                return [.. _running.Values];
            }
        }
    }

    public IReadOnlyList<(string Name, string Reason)> Failed
    {
        get
        {
            lock (_lock)
            {
                return [.. _failed.Select(pair => (pair.Key, pair.Value)).OrderBy(pair => pair.Key, StringComparer.Ordinal)];
            }
        }
    }

    public string? ReasonOf(string name)
    {
        lock (_lock)
        {
            return _failed.GetValueOrDefault(name);
        }
    }

    public void SetRunning(HostedApp app)
    {
        lock (_lock)
        {
            _running[app.Manifest.Name] = app;
            _failed.Remove(app.Manifest.Name);
        }
    }

    public void SetFailed(string name, string reason)
    {
        lock (_lock)
        {
            _failed[name] = reason;
        }
    }

    public void Remove(string name)
    {
        lock (_lock)
        {
            _running.Remove(name);
            _failed.Remove(name);
        }
    }

    /// <summary>Forgets failures of apps that nobody wants any more.</summary>
    public void KeepFailures(IReadOnlySet<string> wanted)
    {
        lock (_lock)
        {
            foreach (string name in _failed.Keys)
            {
                if (!wanted.Contains(name))
                {
                    _failed.Remove(name); // allowed during the enumeration
                }
            }
        }
    }
}
