using Cocaine.Fast.Cluster.Engine;

namespace Cocaine.Fast.Cluster.Rollouts;

/// <summary>
/// The words of all nodes about the apps of the cluster, as this node heard them. A node hears them from the first time on that somebody
/// asks here, or that this node is the coordinator: most nodes need them never. From any thread.
/// </summary>
internal sealed class StatusBoard
{
    /// <summary>The bucket of the words.</summary>
    public const string Bucket = "cf_status";

    /// <summary>The most words: a thousand nodes with a hundred apps, at some hundred bytes each.</summary>
    private const int MostWords = 100_000;

    private readonly Lock _lock = new(); // guards the fields below
    private readonly Dictionary<string, AppStatus> _words = [];
    private NatsSession? _session; // while attached
    private bool _isWanted;
    private TaskCompletionSource _whole = NewWhole();

    /// <summary>A session has begun.</summary>
    /// <param name="session">The session.</param>
    public void Attach(NatsSession session)
    {
        lock (_lock)
        {
            _session = session;
            _whole = NewWhole();
            if (_isWanted)
            {
                Watch(session);
            }
        }
    }

    /// <summary>The session has ended. The words stay as they were heard last.</summary>
    public void Detach()
    {
        lock (_lock)
        {
            _session = null;
        }
    }

    /// <summary>Completes when all words of the engine have been heard in this session; begins to hear them when nobody did.</summary>
    public Task HearAsync()
    {
        lock (_lock)
        {
            if (!_isWanted && _session is { } session)
            {
                _isWanted = true;
                Watch(session);
            }

            return _whole.Task;
        }
    }

    /// <summary>The last word of a node about an app; null when none was heard.</summary>
    /// <param name="node">The uuid of the node.</param>
    /// <param name="app">The app.</param>
    public AppStatus? Find(string node, string app)
    {
        lock (_lock)
        {
            return _words.GetValueOrDefault(StatusText.KeyOf(node, app));
        }
    }

    private void Watch(NatsSession session)
    {
        TaskCompletionSource whole = _whole;
        _words.Clear(); // an engine that came back may have forgotten some; each node tells its own anew
        _ = session.WatchAsync(Bucket, OnEntry, whole.SetResult); // does not throw; a fault ends the session
    }

    private void OnEntry(EngineEntry entry)
    {
        AppStatus? status = StatusText.Read(entry.Value);
        lock (_lock)
        {
            if (status is null)
            {
                _words.Remove(entry.Key);
            }
            else if (_words.ContainsKey(entry.Key) || _words.Count < MostWords)
            {
                _words[entry.Key] = status;
            }
        }
    }

    private static TaskCompletionSource NewWhole() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
