using System.Runtime.CompilerServices;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Files;

/// <summary>Handles the kernel's events of names in the folders of a tree: reports their meaning, and remembers the names.</summary>
internal sealed class NameEvents(
    FolderTree tree, PathBuffer paths, TreeScanner scanner, RenameTracker renames, ScanSchedule schedule, IFileChanges changes)
{
    private int _pauses;

    /// <summary>The kernel had nothing more to tell, and some time has passed: later events are of other system calls.</summary>
    public void Pause() => _pauses++;

    public void OnEvent(WatchedFolder folder, in InotifyEvent happened)
    {
        ReadOnlySpan<byte> name = happened.Name;
        bool isFolder = happened.Has(Inotify.IsFolder);
        bool hasJustArrived = HasJustArrived(folder, in happened);
        if (happened.Has(Inotify.MovedTo) && renames.TryPair(in happened, folder))
        {
            return;
        }

        ref FileEntry before = ref FolderTree.Find(folder, name);
        if (isFolder || (!Unsafe.IsNullRef(ref before) && before.Kind == FileKind.Folder))
        {
            renames.Flush(); // a waiting rename may be of a name below it
        }
        else
        {
            renames.FlushName(folder, name);
        }

        if (folder.IsDetached)
        {
            return; // the waiting name was this one or one above it: it has left the tree with its content
        }

        ref FileEntry known = ref FolderTree.Find(folder, name);
        bool isKnown = !Unsafe.IsNullRef(ref known);
        if (happened.Has(Inotify.MovedFrom))
        {
            // The kernel tells an exchange as two renames: a to b, then b to a. After the first one b is the file that was a, and stays so;
            // the second half of the second one brings a new a.
            if (!hasJustArrived || !scanner.Look(folder, name))
            {
                renames.Begin(in happened, folder, isKnown);
            }
        }
        else if (happened.Has(Inotify.Delete))
        {
            if (isKnown || folder.IsPartial)
            {
                // Otherwise it came and went before anybody saw it.
                scanner.Delete(folder, name, isKnown ? known.Kind == FileKind.Folder : isFolder);
            }
        }
        else if (happened.Has(Inotify.MovedTo) && isKnown && !isFolder && known.Kind != FileKind.Folder)
        {
            known.ModifiedNs = FileEntry.Unknown;
            changes.Modified(paths.Relative(folder, name)); // replaced by a file from outside the tree
        }
        else if (happened.Has(Inotify.Create | Inotify.MovedTo))
        {
            Create(folder, name, isFolder, isKnown);
        }
        else if (!isFolder && (!isKnown || known.Kind != FileKind.Folder))
        {
            // Not of a name that is known as a folder: it has taken the file's place since, and a scan was faster than the event.
            Modify(folder, name, isKnown);
        }
    }

    /// <summary>The event's name came by a rename, and nothing else has changed the names of the folder since. Notes the event.</summary>
    private bool HasJustArrived(WatchedFolder folder, in InotifyEvent happened)
    {
        bool hasJustArrived = folder.ArrivedAt == _pauses && folder.Arrived.AsSpan().SequenceEqual(happened.Name);
        if (happened.Has(Inotify.Create | Inotify.Delete | Inotify.MovedFrom | Inotify.MovedTo))
        {
            folder.Arrived = happened.Has(Inotify.MovedTo) ? happened.Name.ToArray() : null;
            folder.ArrivedAt = _pauses;
        }

        return hasJustArrived;
    }

    private void Create(WatchedFolder folder, ReadOnlySpan<byte> name, bool isFolder, bool isKnown)
    {
        FileStatus status = default;
        bool isThere = isFolder && FileStatus.TryRead(paths.Absolute(folder, name), follow: false, out status);
        if (isKnown)
        {
            ref FileEntry known = ref FolderTree.Find(folder, name);
            bool wasFolder = known.Kind == FileKind.Folder;
            if (wasFolder == isFolder && (!isThere || known.Identity == status.Identity))
            {
                return; // a scan was faster
            }

            scanner.Delete(folder, name, wasFolder); // its end was not seen: a mount, or an exchange with a file outside the tree
        }

        ref FileEntry entry = ref tree.Add(folder, name, isFolder ? FileKind.Folder : FileKind.File);
        changes.Created(paths.Relative(folder, name), isFolder);
        if (!Unsafe.IsNullRef(ref entry) && entry.Folder is { } below)
        {
            entry.Identity = status.Identity;

            // At once, because the scan has to make up for each moment without a watch.
            if (tree.Watch(below) == WatchResult.Limit)
            {
                schedule.OnLimit();
            }

            scanner.Add(below, deep: true);
        }
    }

    private void Modify(WatchedFolder folder, ReadOnlySpan<byte> name, bool isKnown)
    {
        if (isKnown || folder.IsPartial)
        {
            changes.Modified(paths.Relative(folder, name));
        }
        else
        {
            Create(folder, name, isFolder: false, isKnown: false); // the scan of its folder has not reached it yet
        }
    }
}
