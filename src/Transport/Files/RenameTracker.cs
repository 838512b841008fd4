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
            End(0);
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
        if (happened.Has(Inotify.IsFolder))
        {
            // The names below it change now: waiting renames there are reported before, under their old names.
            _halves.RemoveAt(index);
            Flush();
            _halves.Add(half);
            if (folder.IsDetached)
            {
                Flush(); // the folder that it went to has left the tree, so the name has left it too
                return true;
            }
        }

        FlushName(folder, happened.Name);
        ref FileEntry there = ref FolderTree.Find(folder, happened.Name);
        if (!Unsafe.IsNullRef(ref there) && there.Folder is { } known)
        {
            // A scan was faster and has reported the folder under its new name; or an empty folder was replaced, which is as rare.
            End(_halves.IndexOf(half));
            scanner.Add(known, deep: true);
            return true;
        }

        _halves.Remove(half);
        bool replaced = tree.Remove(folder, happened.Name, out _);
        tree.Put(folder, happened.Name, half.Entry);
        bool isFolder = half.Entry.Kind == FileKind.Folder;
        changes.Moved(half.From, paths.Relative(folder, happened.Name), isFolder, replaced);
        if (half.Entry.Folder is { } moved)
        {
            scanner.Add(moved, deep: true); // reports the content that came before its watch knew the new name
        }

        return true;
    }

    /// <summary>A new event has the name of a waiting first half: that half was a move out of the tree.</summary>
    public void FlushName(WatchedFolder folder, ReadOnlySpan<byte> name)
    {
        for (int i = 0; i < _halves.Count; i++)
        {
            if (_halves[i].Folder == folder && name.SequenceEqual(_halves[i].Name))
            {
                End(i);
                return;
            }
        }
    }

    /// <summary>No second half will come.</summary>
    public void Flush()
    {
        while (_halves.Count > 0)
        {
            End(0);
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

    private void End(int index)
    {
        Half half = _halves[index];
        _halves.RemoveAt(index);
        if (half.Entry.Folder is { } below)
        {
            scanner.DeleteContent(below);
            tree.Detach(below);
        }

        changes.Deleted(half.From, half.Entry.Kind == FileKind.Folder);
        ref FileEntry again = ref FolderTree.Find(half.Folder, half.Name);
        if (!half.Folder.IsDetached && !Unsafe.IsNullRef(ref again))
        {
            // A scan has already found another file of this name, and its report is undone now: the file will be found again.
            scanner.Delete(half.Folder, half.Name, again.Kind == FileKind.Folder);
            scanner.Add(half.Folder, deep: false);
        }
    }

    /// <param name="Cookie">The kernel's number of the rename.</param>
    /// <param name="Folder">The folder of the name.</param>
    /// <param name="Name">The name.</param>
    /// <param name="From">The old name, relative to the root.</param>
    /// <param name="Entry">The memory of the name.</param>
    private sealed record Half(uint Cookie, WatchedFolder Folder, byte[] Name, byte[] From, FileEntry Entry);

    private sealed class FlushTimer(RenameTracker renames) : WheelTimer
    {
        public override void OnDue(long nowMs) => renames.Flush();
    }
}
