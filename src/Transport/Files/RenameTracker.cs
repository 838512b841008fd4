using System.Runtime.CompilerServices;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Transport.Files;

/// <summary>
/// Joins the two halves of a rename. The kernel usually gives them one after the other. A first half without a second one was a move out of
/// the tree, and everything below it is reported as deleted.
/// </summary>
internal sealed class RenameTracker(EventLoop loop, FolderTree tree, TreeScanner scanner, PathBuffer paths, IFileChanges changes)
    : IDisposable
{
    /// <summary>The longest wait for the second half: the kernel gives both within one system call.</summary>
    private const int WaitMs = 30;

    /// <summary>The most halves that wait: as many as threads rename at the same moment.</summary>
    private const int MaxHalves = 64;

    private readonly List<Half> _halves = [];
    private FlushTimer? _timer;

    /// <summary>The first half: the name left its folder.</summary>
    public void Begin(in InotifyEvent happened, WatchedFolder folder, bool isKnown)
    {
        if (_halves.Count == MaxHalves)
        {
            End(_halves[0]);
            if (folder.IsDetached)
            {
                return;
            }
        }

        bool isFolder = happened.Has(Inotify.IsFolder);
        if (!isKnown && !folder.IsPartial)
        {
            return; // it came and went before anybody saw it; in its new place it is new
        }

        if (isKnown && (FolderTree.Find(folder, happened.Name).Kind == FileKind.Folder) != isFolder)
        {
            // A scan was faster and saw another file than the moved one. That file will be found again.
            scanner.Delete(folder, happened.Name, !isFolder);
            scanner.Add(folder, deep: false);
            return;
        }

        byte[] from = paths.Relative(folder, happened.Name).ToArray();
        tree.Remove(folder, happened.Name, out FileEntry entry);
        entry.Kind = isFolder ? FileKind.Folder : entry.Kind;
        _halves.Add(new Half(happened.Cookie, folder, happened.Name.ToArray(), from, entry));
        _timer ??= new FlushTimer(this);
        loop.Timers.Arm(_timer, loop.NowMs + WaitMs);
    }

    /// <summary>The second half: the name is in a folder of the tree again. False when there was no first half.</summary>
    public bool TryPair(in InotifyEvent happened, WatchedFolder folder)
    {
        uint cookie = happened.Cookie;
        int index = _halves.FindIndex(half => half.Cookie == cookie);
        if (index < 0)
        {
            return false;
        }

        Half half = _halves[index];
        ref FileEntry there = ref FolderTree.Find(folder, happened.Name);
        bool wasFolder = !Unsafe.IsNullRef(ref there) && there.Kind == FileKind.Folder;
        if (wasFolder && there.Folder is { } known && IsAt(half.Folder, known))
        {
            End(half); // out of a folder and into its place: a scan was faster and has found the folder under another name
            return false;
        }

        if (happened.Has(Inotify.IsFolder) || wasFolder)
        {
            // The names below it change now: waiting renames there are reported before, under their old names.
            while (_halves.Find(other => other != half) is { } other)
            {
                End(other);
            }
        }

        FlushName(folder, happened.Name);
        if (!_halves.Contains(half))
        {
            return false; // the folder that it came from has left the tree: the name comes from outside
        }

        if (folder.IsDetached)
        {
            End(half); // the folder that it went to has left the tree, so the name has left it too
            return true;
        }

        if (half.Entry.Folder is { } moving && IsAt(folder, moving))
        {
            // No folder moves into itself: a scan was faster, and the tree shows a later state than the event. Later events, or this look,
            // find the folder in its last place.
            End(half);
            scanner.Add(half.Folder, deep: false);
            return true;
        }

        _halves.Remove(half);
        Join(half, folder, happened.Name);
        return true;
    }

    /// <summary>A new event has the name of a waiting first half: that half was a move out of the tree.</summary>
    public void FlushName(WatchedFolder folder, ReadOnlySpan<byte> name)
    {
        for (int i = 0; i < _halves.Count; i++)
        {
            if (_halves[i].Folder == folder && name.SequenceEqual(_halves[i].Name))
            {
                End(_halves[i]);
                return;
            }
        }
    }

    /// <summary>No second half will come.</summary>
    public void Flush()
    {
        while (_halves.Count > 0)
        {
            End(_halves[0]);
        }
    }

    public void Dispose()
    {
        if (_timer is not null)
        {
            loop.Timers.Cancel(_timer);
        }

        _halves.Clear();
    }

    private void Join(Half half, WatchedFolder folder, ReadOnlySpan<byte> name)
    {
        bool isFolder = half.Entry.Kind == FileKind.Folder;
        bool replaced = false;
        ref FileEntry there = ref FolderTree.Find(folder, name);
        if (!Unsafe.IsNullRef(ref there))
        {
            replaced = !isFolder && there.Kind != FileKind.Folder;
            if (replaced)
            {
                tree.Remove(folder, name, out _);
            }
            else
            {
                // Exchanged with the moved one, or found by a scan that was faster than this event; or an empty folder was replaced.
                scanner.Delete(folder, name, there.Kind == FileKind.Folder);
            }
        }

        tree.Put(folder, name, half.Entry);
        changes.Moved(half.From, paths.Relative(folder, name), isFolder, replaced);
        if (half.Entry.Folder is { } moved)
        {
            scanner.Add(moved, deep: true); // reports the content that came before its watch knew the new name
        }
        else if (!isFolder && FileStatus.TryRead(paths.Absolute(folder, name), follow: false, out FileStatus now)
            && half.Entry.Differs(in now))
        {
            changes.Modified(paths.Relative(folder, name)); // the last report of its content came too late to find it under the old name
        }

        FindWhiteout(half);
    }

    private void End(Half half)
    {
        _halves.Remove(half);
        if (half.Entry.Folder is { } below)
        {
            while (_halves.Find(other => IsAt(other.Folder, below)) is { } inside)
            {
                End(inside);
            }

            scanner.DeleteContent(below);
            tree.Detach(below);
        }

        changes.Deleted(half.From, half.Entry.Kind == FileKind.Folder);
        FindWhiteout(half);
    }

    private static bool IsAt(WatchedFolder? folder, WatchedFolder top)
    {
        while (folder is not null && folder != top)
        {
            folder = folder.Parent;
        }

        return folder == top;
    }

    /// <summary>A rename with RENAME_WHITEOUT leaves a device under the old name, and no event reports it.</summary>
    private void FindWhiteout(Half half)
    {
        if (!half.Folder.IsDetached
            && FileStatus.TryRead(paths.Absolute(half.Folder, half.Name), follow: false, out FileStatus status)
            && status is { Kind: FileKind.File, IsPlain: false })
        {
            scanner.Look(half.Folder, half.Name);
        }
    }

    private sealed class Half(uint cookie, WatchedFolder folder, byte[] name, byte[] from, FileEntry entry)
    {
        /// <summary>The kernel's number of the rename.</summary>
        public uint Cookie => cookie;

        /// <summary>The folder that the name has left.</summary>
        public WatchedFolder Folder => folder;

        public byte[] Name => name;

        /// <summary>The old name, relative to the root.</summary>
        public byte[] From => from;

        /// <summary>The memory of the name.</summary>
        public FileEntry Entry => entry;
    }

    private sealed class FlushTimer(RenameTracker renames) : WheelTimer
    {
        public override void OnDue(long nowMs) => renames.Flush();
    }
}
