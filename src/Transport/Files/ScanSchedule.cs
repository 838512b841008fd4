using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Transport.Files;

/// <summary>
/// Decides when the tree is looked at: in each turn of the loop while the scanner has work and there is room for changes, and from time to
/// time for the parts that cannot be watched.
/// </summary>
internal sealed class ScanSchedule : LoopWork, IDisposable
{
    /// <summary>The names that one turn of the loop looks at: about a millisecond of work.</summary>
    public const int NamesPerTurn = 512;

    private readonly EventLoop _loop;
    private readonly TreeOptions _options;
    private readonly FolderTree _tree;
    private readonly RootWatch _root;
    private readonly TreeScanner _scanner;
    private readonly IFileChanges _changes;
    private readonly Action _rootChanged;
    private readonly ILogger _log;
    private readonly PollTimer _poll;
    private bool _posted;
    private bool _limitLogged;
    private bool _disposed;

    /// <param name="loop">The loop that all parts live on.</param>
    /// <param name="options">The options of the tree.</param>
    /// <param name="tree">The watched tree.</param>
    /// <param name="root">Knows the kind of the tree's path.</param>
    /// <param name="scanner">Looks at the tree.</param>
    /// <param name="changes">Gets the changes.</param>
    /// <param name="rootChanged">Called when the path has changed and no event has reported it.</param>
    /// <param name="log">The tree's log.</param>
    public ScanSchedule(
        EventLoop loop, TreeOptions options, FolderTree tree, RootWatch root, TreeScanner scanner, IFileChanges changes, Action rootChanged,
        ILogger log)
    {
        _loop = loop;
        _options = options;
        _tree = tree;
        _root = root;
        _scanner = scanner;
        _changes = changes;
        _rootChanged = rootChanged;
        _log = log;
        _poll = new PollTimer(this);
    }

    /// <summary>The scanner may have work, in the next turn or later.</summary>
    public void Continue()
    {
        if (_disposed)
        {
            return;
        }

        if (_scanner.HasWork && !_posted && !_changes.IsFull)
        {
            _posted = true;
            _loop.Post(this);
        }

        if (!_poll.IsArmed)
        {
            _loop.Timers.Arm(_poll, _loop.NowMs + _options.PollMs);
        }
    }

    /// <summary>A folder cannot be watched because the bound of watches is reached: the folder is looked at from time to time.</summary>
    public void OnLimit()
    {
        if (!_limitLogged)
        {
            _limitLogged = true;
            FileLog.WatchLimit(_log, _options.Path, _tree.Watches, _options.PollMs, Inotify.Setting("max_user_watches"));
        }
    }

    /// <summary>A turn of the loop.</summary>
    public override void Run()
    {
        _posted = false;
        if (_disposed)
        {
            return;
        }

        if (_scanner.Step(NamesPerTurn) == WatchResult.Limit)
        {
            OnLimit();
        }

        Continue();
    }

    public void Dispose()
    {
        _disposed = true;
        _loop.Timers.Cancel(_poll);
    }

    /// <summary>
    /// Looks at the parts that cannot be watched: folders over the limit, and the kind of the path. The kernel reports neither a file
    /// system that is mounted over the path, nor a link among the folders above it that is set to another place.
    /// </summary>
    private void Poll()
    {
        if (_root.HasChanged())
        {
            _rootChanged();
        }
        else if (!_scanner.HasWork)
        {
            foreach (WatchedFolder folder in _tree.Unwatched)
            {
                _scanner.Add(folder, deep: false);
            }
        }

        Continue();
    }

    private sealed class PollTimer(ScanSchedule schedule) : WheelTimer
    {
        public override void OnDue(long nowMs) => schedule.Poll();
    }
}
