namespace Cocaine.Fast.Backends.Threads;

/// <summary>
/// The code of an app's ended slaves that is still in memory: when the app's timers, threads or event handlers outlive its slaves, each
/// slave's code stays with all of its statics. From any thread.
/// </summary>
internal sealed class LeftCode
{
    /// <summary>
    /// Full collections that code must have survived: one finds that nobody uses the code, and one comes after its finalizers ran.
    /// </summary>
    private const int Collections = 2;

    /// <summary>
    /// Ended slaves after which this class asks for a collection when none came by itself: so many loads of code are worth a look.
    /// </summary>
    private const int UnseenMost = 4;

    /// <summary>Time between two collections that this class asks for: each stops the node for some milliseconds.</summary>
    private const long CollectPauseMs = 30_000;

    private readonly Lock _lock = new();
    private readonly List<(WeakReference Code, int CollectionsAtEnd)> _ended = [];
    private long _nextCollectMs;

    /// <summary>The number of codes that are left now.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                _ended.RemoveAll(one => !one.Code.IsAlive);
                int collections = GC.CollectionCount(GC.MaxGeneration);
                return _ended.Count(one => collections - one.CollectionsAtEnd >= Collections);
            }
        }
    }

    /// <summary>A slave has ended.</summary>
    public void Add(WeakReference code)
    {
        bool collects;
        lock (_lock)
        {
            int now = GC.CollectionCount(GC.MaxGeneration);
            _ended.Add((code, now));
            collects = _ended.Count(one => one.Code.IsAlive && now - one.CollectionsAtEnd < Collections) >= UnseenMost
                && Environment.TickCount64 >= _nextCollectMs;
            if (collects)
            {
                _nextCollectMs = Environment.TickCount64 + CollectPauseMs;
            }
        }

        for (int i = 0; collects && i < Collections; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true);
            GC.WaitForPendingFinalizers();
        }
    }
}
