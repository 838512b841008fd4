using System.Runtime.CompilerServices;
using System.Text;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Transport.Files;

/// <summary>
/// Watches a path and reports changes below it. No lasting change is missed: when the kernel loses events, when a folder comes with
/// content, and when the path itself is replaced, the watcher compares the tree with the remembered names. Lives on a loop.
/// </summary>
internal sealed class TreeWatcher : LoopHandler, IDisposable
{
    /// <summary>Bytes of events that are read before others get their turn: some thousands of events.</summary>
    private const int ReadBytes = 64 << 10;

    /// <summary>When a read leaves less room than this, the kernel may have had more events.</summary>
    private const int LongestEventBytes = 16 + 256;

    /// <summary>After such a pause the kernel has told all events of a system call.</summary>
    private const int PauseMs = 30;

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
    private readonly ScanSchedule _schedule;
    private readonly NameEvents _names;
    private readonly byte[] _buffer = new byte[ReadBytes];
    private long _lastReadMs;
    private bool _mayBeMore; // the last read filled the buffer
    private bool _paused;
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
        _scanner.BeforeFolderEnds = _renames.Flush;
        _scanner.BeforeFound = _renames.FlushName;
        _schedule = new ScanSchedule(loop, options, _tree, _root, _scanner, changes, Reattach, log);
        _names = new NameEvents(_tree, _paths, _scanner, _renames, _schedule, changes);
    }

    /// <summary>Number of events from the kernel.</summary>
    public long Events { get; private set; }

    /// <summary>How often the kernel lost events.</summary>
    public long Overflows { get; private set; }

    /// <summary>Number of watched folders.</summary>
    public int Folders => _tree.Watches;

    /// <summary>Folders that cannot be watched, and are looked at from time to time.</summary>
    public int Unwatched => _tree.Unwatched.Count;

    /// <summary>Number of remembered names.</summary>
    public int Entries => _tree.Entries;

    public RootKind Kind => _root.Kind;

    /// <summary>A look at the tree is not finished.</summary>
    public bool IsScanning => _scanner.HasWork;

    /// <summary>Starts watching. Existing files are reported only when the options ask for it.</summary>
    /// <exception cref="IOException">The path cannot be read, or there are too many watches: the text gives the remedy.</exception>
    public void Start()
    {
        _root.Resolve();
        CheckStart(_root.Failure);
        if (_root.Kind == RootKind.Folder)
        {
            // Silent: this scan adds the watches. With ReportExisting the names that it finds are forgotten and found again, as new.
            _scanner.IsSilent = true;
            _scanner.Add(_tree.Root, deep: true);
            while (_scanner.HasWork)
            {
                CheckStart(_scanner.Step(ScanSchedule.NamesPerTurn) == WatchResult.Limit ? -LibC.ENOSPC : 0);
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

        _schedule.Continue();
    }

    /// <summary>There is room for changes again.</summary>
    public void Resume()
    {
        if (_paused && !_changes.IsFull && !_disposed)
        {
            _paused = false;
            _loop.Change(this, _inotify.Descriptor, Epoll.In);
        }

        _schedule.Continue();
    }

    /// <summary>The present size and time of a reported name.</summary>
    public bool TryStatus(ReadOnlySpan<byte> relative, out FileStatus status) =>
        FileStatus.TryRead(_paths.Absolute(relative), follow: relative.IsEmpty, out status);

    /// <summary>
    /// The present size and time of a name whose content is reported. The watcher remembers them with the name, and reports the content
    /// again after a rename if the file is another one. <paramref name="isRemembered"/> says whether it could.
    /// </summary>
    public bool TryTell(ReadOnlySpan<byte> relative, out FileStatus status, out bool isRemembered)
    {
        bool isThere = TryStatus(relative, out status);
        ref FileEntry entry = ref _tree.FindPath(relative);
        isRemembered = isThere && !Unsafe.IsNullRef(ref entry) && (entry.Kind == FileKind.Folder) == (status.Kind == FileKind.Folder);
        if (isRemembered)
        {
            entry.Set(in status);
        }

        return isThere;
    }

    public override void OnReady(uint events)
    {
        if (_changes.IsFull)
        {
            _paused = true;
            _loop.Change(this, _inotify.Descriptor, 0);
            return;
        }

        if (!_mayBeMore && _loop.NowMs > _lastReadMs + PauseMs)
        {
            _names.Pause();
        }

        ReadOnlySpan<byte> rest = _buffer.AsSpan(0, _inotify.Read(_buffer));
        _lastReadMs = _loop.NowMs;
        _mayBeMore = rest.Length > ReadBytes - LongestEventBytes;
        while (!rest.IsEmpty)
        {
            Events++;
            OnEvent(InotifyEvent.Take(ref rest));
        }

        _schedule.Continue();
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _schedule.Dispose();
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
                _names.OnEvent(folder, in happened);
            }
        }
    }

    /// <summary>The path may have changed, or events were lost: compares the whole tree with the remembered names.</summary>
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
            _tree.UnwatchAll(_tree.Root); // these watches belong to another place now
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

        _schedule.Continue();
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
}
