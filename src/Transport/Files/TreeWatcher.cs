using System.Runtime.CompilerServices;
using System.Text;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Transport.Files;

/// <summary>
/// Watches a path and tells what changes below it. Nothing that lasts is missed: when the kernel loses events, when a folder comes with
/// content, and when the path itself is replaced, what is there is compared with what is remembered. Lives on a loop.
/// </summary>
internal sealed class TreeWatcher : LoopHandler, IDisposable
{
    /// <summary>Bytes of events taken before others get their turn: some thousands of events.</summary>
    private const int ReadBytes = 64 << 10;

    /// <summary>Names that one turn of the loop looks at: about a millisecond.</summary>
    private const int NamesPerTurn = 512;

    private readonly EventLoop _loop;
    private readonly TreeOptions _options;
    private readonly IFileChanges _changes;
    private readonly ILogger _log;
    private readonly Inotify _inotify;
    private readonly PathBuffer _paths;
    private readonly FolderTree _tree;
    private readonly RootWatch _root;
    private readonly TreeScanner _scanner;
    private readonly RenameTracker _renames;
    private readonly ScanWork _scanWork;
    private readonly PollTimer _poll;
    private readonly byte[] _buffer = new byte[ReadBytes];
    private bool _paused;
    private bool _scanPosted;
    private bool _limitLogged;
    private bool _disposed;

    /// <exception cref="IOException">There are no more inotify instances.</exception>
    public TreeWatcher(EventLoop loop, TreeOptions options, IFileChanges changes, ILogger log)
    {
        _loop = loop;
        _options = options;
        _changes = changes;
        _log = log;
        _inotify = new Inotify();
        _paths = new PathBuffer(Encoding.UTF8.GetBytes(options.Path));
        _tree = new FolderTree(_inotify, _paths, options);
        _root = new RootWatch(_inotify, _tree, options.Path);
        _scanner = new TreeScanner(_tree, _paths, options, changes, log);
        _renames = new RenameTracker(loop, _tree, _scanner, _paths, changes);
        _scanWork = new ScanWork(this);
        _poll = new PollTimer(this);
    }

    /// <summary>Events that the kernel gave.</summary>
    public long Events { get; private set; }

    /// <summary>How often the kernel lost events.</summary>
    public long Overflows { get; private set; }

    /// <summary>Folders that are watched.</summary>
    public int Folders => _tree.Watches;

    /// <summary>Folders that cannot be watched, and are looked at now and then.</summary>
    public int Unwatched => _tree.Unwatched.Count;

    /// <summary>Names remembered.</summary>
    public int Entries => _tree.Entries;

    public RootKind Kind => _root.Kind;

    /// <summary>A look at the tree is not done.</summary>
    public bool IsScanning => _scanner.HasWork;

    /// <summary>Watches what is there; what is there already is reported only when the options say so.</summary>
    /// <exception cref="IOException">It cannot be read, or there are too many watches: the text says what to do.</exception>
    public void Start()
    {
        _root.Resolve();
        CheckStart(_root.Failure);
        if (_root.Kind == RootKind.Folder)
        {
            // Silent: it adds the watches. With ReportExisting what it found is forgotten and found again, as new.
            _scanner.IsSilent = true;
            _scanner.Add(_tree.Root, deep: true);
            while (_scanner.HasWork)
            {
                CheckStart(_scanner.Step(NamesPerTurn) == WatchResult.Limit ? -LibC.ENOSPC : 0);
            }

            _scanner.IsSilent = false;
            if (_tree.Unwatched.Contains(_tree.Root))
            {
                throw new IOException($"{_options.Path} cannot be read by this user");
            }
        }

        _loop.Watch(this, _inotify.Descriptor, Epoll.In);
        if (_options.ReportExisting && _root.Kind != RootKind.Missing)
        {
            ReportExisting();
        }

        ArmPoll();
    }

    /// <summary>There is room for changes again.</summary>
    public void Resume()
    {
        if (_paused && !_changes.IsFull && !_disposed)
        {
            _paused = false;
            _loop.Change(this, _inotify.Descriptor, Epoll.In);
        }

        ScheduleScan();
    }

    /// <summary>Size and time of a name that was reported, as they are now; they are remembered with it.</summary>
    public bool TryStatus(ReadOnlySpan<byte> relative, out FileStatus status)
    {
        if (!FileStatus.TryRead(_paths.Absolute(relative), follow: relative.IsEmpty, out status))
        {
            return false;
        }

        WatchedFolder? folder = _tree.Root;
        while (relative.IndexOf((byte)'/') is > 0 and int slash)
        {
            ref FileEntry above = ref FolderTree.Find(folder, relative[..slash]);
            folder = Unsafe.IsNullRef(ref above) ? null : above.Folder;
            if (folder is null)
            {
                return true;
            }

            relative = relative[(slash + 1)..];
        }

        ref FileEntry entry = ref FolderTree.Find(folder, relative);
        if (!Unsafe.IsNullRef(ref entry) && (entry.Kind == FileKind.Folder) == (status.Kind == FileKind.Folder))
        {
            entry.Set(in status);
        }

        return true;
    }

    public override void OnReady(uint events)
    {
        if (_changes.IsFull)
        {
            _paused = true;
            _loop.Change(this, _inotify.Descriptor, 0);
            return;
        }

        ReadOnlySpan<byte> rest = _buffer.AsSpan(0, _inotify.Read(_buffer));
        while (!rest.IsEmpty)
        {
            Events++;
            OnEvent(InotifyEvent.Take(ref rest));
        }

        ScheduleScan();
        ArmPoll();
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _loop.Timers.Cancel(_poll);
        _renames.Dispose();
        _scanner.Stop();
        _loop.Forget(this, _inotify.Descriptor);
        _inotify.Dispose();
    }

    private void OnEvent(in InotifyEvent happened)
    {
        if (happened.Has(Inotify.Overflow))
        {
            Overflows++;
            if (System.Numerics.BitOperations.IsPow2(Overflows))
            {
                FileLog.Overflow(_log, _options.Path, Overflows);
            }

            Reattach();
            return;
        }

        if (_root.Owns(happened.Watch))
        {
            if (_root.IsChange(in happened))
            {
                Reattach();
                return;
            }

            if (_root.IsContent(in happened))
            {
                _root.Refresh();
                _changes.Modified(default);
            }
        }

        if (_tree.Find(happened.Watch) is { } folder)
        {
            if (happened.Has(Inotify.Ignored))
            {
                _tree.OnWatchEnded(happened.Watch);
            }
            else if (!happened.Name.IsEmpty && !folder.IsDetached)
            {
                OnName(folder, in happened);
            }
        }
    }

    private void OnName(WatchedFolder folder, in InotifyEvent happened)
    {
        ReadOnlySpan<byte> name = happened.Name;
        bool isFolder = happened.Has(Inotify.IsFolder);
        if (happened.Has(Inotify.MovedTo) && _renames.TryPair(in happened, folder))
        {
            return;
        }

        if (isFolder)
        {
            _renames.Flush(); // what waits may be below it
        }
        else
        {
            _renames.FlushName(folder, name);
        }

        if (folder.IsDetached)
        {
            return; // it, or one above it, was what waited: gone from the tree with all that is in it
        }

        bool isKnown = !Unsafe.IsNullRef(ref FolderTree.Find(folder, name));
        if (happened.Has(Inotify.MovedFrom))
        {
            _renames.Begin(in happened, folder, isKnown);
        }
        else if (happened.Has(Inotify.Delete))
        {
            if (isKnown || folder.IsPartial)
            {
                _scanner.Delete(folder, name, isFolder); // else it came and went before it was ever seen
            }
        }
        else if (happened.Has(Inotify.MovedTo) && isKnown && !isFolder)
        {
            FolderTree.Find(folder, name).ModifiedNs = FileEntry.Unknown;
            _changes.Modified(_paths.Relative(folder, name)); // replaced by a file from elsewhere
        }
        else if (happened.Has(Inotify.Create | Inotify.MovedTo))
        {
            Create(folder, name, isFolder, isKnown);
        }
        else if (!isFolder)
        {
            Modify(folder, name, isKnown);
        }
    }

    private void Create(WatchedFolder folder, ReadOnlySpan<byte> name, bool isFolder, bool isKnown)
    {
        FileStatus status = default;
        bool isThere = isFolder && FileStatus.TryRead(_paths.Absolute(folder, name), follow: false, out status);
        if (isKnown)
        {
            if (!isThere || FolderTree.Find(folder, name).Identity == status.Identity)
            {
                return; // a scan was faster
            }

            _scanner.Delete(folder, name, isFolder); // a folder in place of another whose end was not seen
        }

        ref FileEntry entry = ref _tree.Add(folder, name, isFolder ? FileKind.Folder : FileKind.File);
        _changes.Created(_paths.Relative(folder, name), isFolder);
        if (!Unsafe.IsNullRef(ref entry) && entry.Folder is { } below)
        {
            entry.Identity = status.Identity;

            // At once: each moment without a watch is one more for the scan to make up for.
            if (_tree.Watch(below) == WatchResult.Limit)
            {
                LogLimit();
            }

            _scanner.Add(below, deep: true);
        }
    }

    private void Modify(WatchedFolder folder, ReadOnlySpan<byte> name, bool isKnown)
    {
        if (isKnown || folder.IsPartial)
        {
            _changes.Modified(_paths.Relative(folder, name));
        }
        else
        {
            Create(folder, name, isFolder: false, isKnown: false); // the scan of its folder has not come to it yet
        }
    }

    /// <summary>The path may be something else now, or events were lost: compares all of it with what is remembered.</summary>
    private void Reattach()
    {
        _renames.Flush();
        RootKind before = _root.Kind;
        FileStatus was = _root.Status;
        _root.Resolve();
        if (_root.Kind != before)
        {
            FileLog.RootChanged(_log, _options.Path, _root.Kind.ToString().ToLowerInvariant());
        }

        if (before == RootKind.Folder && (_root.Kind != RootKind.Folder || was.Identity != _root.Status.Identity))
        {
            _tree.UnwatchAll(_tree.Root); // they are watches of what is elsewhere now
        }

        if (before == RootKind.Folder && _root.Kind != RootKind.Folder)
        {
            _scanner.Stop();
            _scanner.DeleteContent(_tree.Root);
            _tree.Clear(_tree.Root);
        }

        if (before != RootKind.Missing && _root.Kind != before)
        {
            _changes.Deleted(default, before == RootKind.Folder);
        }

        if (_root.Kind != RootKind.Missing && _root.Kind != before)
        {
            _changes.Created(default, _root.Kind == RootKind.Folder);
        }
        else if (_root.Kind == RootKind.File && was != _root.Status)
        {
            _changes.Modified(default);
        }

        if (_root.Kind == RootKind.Folder)
        {
            _scanner.Restart();
        }

        ScheduleScan();
        ArmPoll();
    }

    private void ReportExisting()
    {
        if (_root.Kind == RootKind.File)
        {
            _changes.Created(default, isFolder: false);
            return;
        }

        _tree.ForgetEntries();
        _scanner.Restart();
        ScheduleScan();
    }

    private void ScheduleScan()
    {
        if (_scanner.HasWork && !_scanPosted && !_changes.IsFull && !_disposed)
        {
            _scanPosted = true;
            _loop.Post(_scanWork);
        }
    }

    private void Scan()
    {
        _scanPosted = false;
        if (_disposed)
        {
            return;
        }

        if (_scanner.Step(NamesPerTurn) == WatchResult.Limit)
        {
            LogLimit();
        }

        ScheduleScan();
        ArmPoll();
    }

    private void LogLimit()
    {
        if (!_limitLogged)
        {
            _limitLogged = true;
            FileLog.WatchLimit(_log, _options.Path, _tree.Watches, _options.PollMs, Inotify.Setting("max_user_watches"));
        }
    }

    private void CheckStart(int failure)
    {
        switch (-failure)
        {
            case LibC.ENOSPC:
                throw new IOException($"the kernel watches no more folders for this user ({_tree.Watches} of {_options.Path} are watched): "
                    + $"raise fs.inotify.max_user_watches (now {Inotify.Setting("max_user_watches")}; sysctl -w)");
            case LibC.EACCES when _root.Kind == RootKind.Missing:
                throw new IOException($"{_options.Path} is not there, and the folder above it cannot be read by this user");
        }
    }

    private void ArmPoll()
    {
        if (!_poll.IsArmed && !_disposed)
        {
            _loop.Timers.Arm(_poll, _loop.NowMs + _options.PollMs);
        }
    }

    /// <summary>
    /// Looks at what cannot be watched: folders over the limit, and what the path is. Of a file system that is mounted over it, and of a
    /// link among the folders above it that is set to elsewhere, the kernel tells nobody.
    /// </summary>
    private void Poll()
    {
        if (_root.HasChanged())
        {
            Reattach();
        }
        else if (!_scanner.HasWork)
        {
            foreach (WatchedFolder folder in _tree.Unwatched)
            {
                _scanner.Add(folder, deep: false);
            }
        }

        ScheduleScan();
        ArmPoll();
    }

    private sealed class ScanWork(TreeWatcher watcher) : LoopWork
    {
        public override void Run() => watcher.Scan();
    }

    private sealed class PollTimer(TreeWatcher watcher) : WheelTimer
    {
        public override void OnDue(long nowMs) => watcher.Poll();
    }
}
