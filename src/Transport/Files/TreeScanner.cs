using Cocaine.Fast.Transport.Linux;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Transport.Files;

/// <summary>Does something with a name in a folder.</summary>
internal delegate void NameAction(WatchedFolder folder, ReadOnlySpan<byte> name);

/// <summary>
/// Looks at folders and reports how they differ from the remembered names: new folders, and the whole tree when events were lost. The
/// scanner works in steps, because the loop serves others too.
/// </summary>
internal sealed class TreeScanner(FolderTree tree, PathBuffer paths, TreeOptions options, IFileChanges changes, ILogger log)
{
    private readonly Queue<(WatchedFolder Folder, bool Deep)> _waiting = new();
    private readonly FolderReader _reader = new();
    private WatchedFolder? _current;
    private bool _deep;

    /// <summary>There are folders to look at.</summary>
    public bool HasWork => _current is not null || _waiting.Count > 0;

    /// <summary>The scanner remembers the names that it finds, and does not report them.</summary>
    public bool IsSilent { get; set; }

    /// <summary>Called before a folder is reported as deleted: names that have left it are reported first.</summary>
    public Action BeforeFolderEnds { get; set; } = static () => { };

    /// <summary>Called before a new name is reported: another file that has left the same name is reported first.</summary>
    public NameAction BeforeFound { get; set; } = static (_, _) => { };

    /// <summary>Folders that could not be watched, since the start.</summary>
    public long Refusals { get; private set; }

    /// <summary>Looks at a folder and at new folders below it or, when <paramref name="deep"/>, at all folders below it.</summary>
    public void Add(WatchedFolder folder, bool deep) => _waiting.Enqueue((folder, deep));

    /// <summary>Starts over with the whole tree: nothing that was found before counts.</summary>
    public void Restart()
    {
        Stop();
        Add(tree.Root, deep: true);
    }

    public void Stop()
    {
        _waiting.Clear();
        _current = null;
        _reader.Dispose();
    }

    /// <summary>Looks at so many names. Returns the problem of the last folder that could not be watched, or Watched.</summary>
    public WatchResult Step(int names)
    {
        WatchResult worst = WatchResult.Watched;
        while (names > 0 && !(changes.IsFull && !IsSilent))
        {
            if (_current is null)
            {
                if (!_waiting.TryDequeue(out (WatchedFolder Folder, bool Deep) next))
                {
                    break;
                }

                names--;
                WatchResult result = Begin(next.Folder, next.Deep);
                worst = result is WatchResult.Watched or WatchResult.Gone || worst == WatchResult.Limit ? worst : result;
            }
            else if (_current.IsDetached)
            {
                _current = null;
            }
            else if (_reader.TryNext(out ReadOnlySpan<byte> name))
            {
                names--;
                Look(_current, name);
            }
            else
            {
                WatchedFolder ended = _current;
                _current = null;
                _reader.Dispose();
                ReportGone(ended);
            }
        }

        return worst;
    }

    /// <summary>Looks at one name at once, and reports how it differs from what is remembered. False when the name is not there.</summary>
    public bool Look(WatchedFolder folder, ReadOnlySpan<byte> name)
    {
        if (!FileStatus.TryRead(paths.Absolute(folder, name), follow: false, out FileStatus status))
        {
            return false;
        }

        See(folder, name, in status);
        return true;
    }

    /// <summary>Reports a name and all remembered names below it as deleted; then forgets them.</summary>
    public void Delete(WatchedFolder folder, ReadOnlySpan<byte> name, bool isFolder)
    {
        if (isFolder)
        {
            BeforeFolderEnds();
            if (folder.IsDetached)
            {
                return; // reported with the folder that it was in
            }
        }

        if (tree.Remove(folder, name, out FileEntry entry) && entry.Folder is { } below)
        {
            DeleteContent(below);
            tree.Detach(below);
        }

        changes.Deleted(paths.Relative(folder, name), isFolder);
    }

    /// <summary>Reports all remembered names in a folder as deleted, the deepest first.</summary>
    public void DeleteContent(WatchedFolder folder)
    {
        foreach ((byte[] name, FileEntry entry) in folder.Entries)
        {
            if (entry.Folder is { } below)
            {
                DeleteContent(below);
            }

            changes.Deleted(paths.Relative(folder, name), entry.Kind == FileKind.Folder);
        }
    }

    private WatchResult Begin(WatchedFolder folder, bool deep)
    {
        if (folder.IsDetached)
        {
            return WatchResult.Gone;
        }

        WatchResult result = tree.Watch(folder);
        if (result == WatchResult.Gone)
        {
            return result; // the watch of the folder above reports it
        }

        if (result != WatchResult.Watched)
        {
            Refusals++;
        }

        if (_reader.TryOpen(paths.Absolute(folder)))
        {
            _current = folder;
            _deep = deep;
            folder.Scan++;
        }
        else if (result == WatchResult.Watched)
        {
            FileLog.Unreadable(log, System.Text.Encoding.UTF8.GetString(paths.Relative(folder)), options.Path);
        }

        return result;
    }

    private void See(WatchedFolder folder, ReadOnlySpan<byte> name, in FileStatus status)
    {
        ref FileEntry entry = ref FolderTree.Find(folder, name);
        if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref entry))
        {
            if ((entry.Kind == FileKind.Folder) == (status.Kind == FileKind.Folder))
            {
                SeeAgain(folder, name, ref entry, in status);
                return;
            }

            Delete(folder, name, entry.Kind == FileKind.Folder);
        }

        BeforeFound(folder, name);
        if (folder.IsDetached)
        {
            return;
        }

        bool couldBeKnown = folder.IsPartial;
        ref FileEntry added = ref tree.Add(folder, name, status.Kind);
        bool isRemembered = !System.Runtime.CompilerServices.Unsafe.IsNullRef(ref added);
        WatchedFolder? below = null;
        if (isRemembered)
        {
            added.Set(in status);
            below = added.Folder;
        }

        if (below is not null)
        {
            Add(below, deep: true);
        }

        if (IsSilent)
        {
            return;
        }

        ReadOnlySpan<byte> relative = paths.Relative(folder, name);
        if (couldBeKnown && status.Kind != FileKind.Folder)
        {
            changes.Modified(relative); // it may be new, changed, or neither: the watcher does not know this of names beyond the bound
        }
        else
        {
            changes.Created(relative, status.Kind == FileKind.Folder);
        }
    }

    private void SeeAgain(WatchedFolder folder, ReadOnlySpan<byte> name, ref FileEntry entry, in FileStatus status)
    {
        entry.SeenInScan = folder.Scan;
        bool differs = entry.Differs(in status);
        bool isAnother = entry.Identity != status.Identity;
        entry.Set(in status);
        if (entry.Folder is { } below)
        {
            if (_deep || isAnother)
            {
                Add(below, deep: true);
            }
        }
        else if (differs && status.Kind != FileKind.Folder && !IsSilent)
        {
            changes.Modified(paths.Relative(folder, name));
        }
    }

    private void ReportGone(WatchedFolder folder)
    {
        List<byte[]>? gone = null;
        foreach ((byte[] name, FileEntry entry) in folder.Entries)
        {
            if (entry.SeenInScan != folder.Scan)
            {
                (gone ??= []).Add(name);
            }
        }

        if (gone is not null)
        {
            foreach (byte[] name in gone)
            {
                if (folder.Entries.TryGetValue(name, out FileEntry entry))
                {
                    Delete(folder, name, entry.Kind == FileKind.Folder);
                }
            }
        }
    }
}
