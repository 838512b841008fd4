using System.Runtime.CompilerServices;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Files;

/// <summary>Handles the kernel's events of names in the folders of a tree: reports their meaning, and remembers the names.</summary>
internal sealed class NameEvents(
    FolderTree tree, PathBuffer paths, TreeScanner scanner, RenameTracker renames, ScanSchedule schedule, IFileChanges changes)
{
    public void OnEvent(WatchedFolder folder, in InotifyEvent happened)
    {
        ReadOnlySpan<byte> name = happened.Name;
        bool isFolder = happened.Has(Inotify.IsFolder);
        if (happened.Has(Inotify.MovedTo) && renames.TryPair(in happened, folder))
        {
            return;
        }

        if (isFolder)
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

        bool isKnown = !Unsafe.IsNullRef(ref FolderTree.Find(folder, name));
        if (happened.Has(Inotify.MovedFrom))
        {
            renames.Begin(in happened, folder, isKnown);
        }
        else if (happened.Has(Inotify.Delete))
        {
            if (isKnown || folder.IsPartial)
            {
                scanner.Delete(folder, name, isFolder); // otherwise it came and went before anybody saw it
            }
        }
        else if (happened.Has(Inotify.MovedTo) && isKnown && !isFolder)
        {
            FolderTree.Find(folder, name).ModifiedNs = FileEntry.Unknown;
            changes.Modified(paths.Relative(folder, name)); // replaced by a file from outside the tree
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
        bool isThere = isFolder && FileStatus.TryRead(paths.Absolute(folder, name), follow: false, out status);
        if (isKnown)
        {
            if (!isThere || FolderTree.Find(folder, name).Identity == status.Identity)
            {
                return; // a scan was faster
            }

            scanner.Delete(folder, name, isFolder); // a folder in place of another, whose end nobody saw
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
