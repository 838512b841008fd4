using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Files;

/// <summary>Whether a folder could be watched.</summary>
internal enum WatchResult
{
    Watched,

    /// <summary>The folder is not there any more.</summary>
    Gone,

    /// <summary>The bound of watches is reached.</summary>
    Limit,

    /// <summary>The folder may not be read, or its path is too long.</summary>
    Refused,
}

/// <summary>The watched folders, their watches, and the remembered names.</summary>
internal sealed class FolderTree(Inotify inotify, PathBuffer paths, TreeOptions options)
{
    private const uint Mask = Inotify.Create | Inotify.Delete | Inotify.Modify | Inotify.CloseWrite | Inotify.MovedFrom | Inotify.MovedTo
        | Inotify.OnlyFolder | Inotify.NotUnlinked | Inotify.AddToMask;

    private readonly Dictionary<int, WatchedFolder> _byWatch = [];

    public WatchedFolder Root { get; } = new(null, []);

    /// <summary>Folders that could not be watched: they are looked at from time to time.</summary>
    public HashSet<WatchedFolder> Unwatched { get; } = [];

    public int Watches => _byWatch.Count;

    /// <summary>Number of remembered names.</summary>
    public int Entries { get; private set; }

    public WatchedFolder? Find(int watch) => _byWatch.GetValueOrDefault(watch);

    /// <summary>Watches a folder under its present path, whatever was watched in its place before.</summary>
    public WatchResult Watch(WatchedFolder folder)
    {
        uint mask = folder.Parent is null ? Mask : Mask | Inotify.DontFollow;
        int watch = folder.Watch < 0 && Watches >= options.MaxWatches ? -LibC.ENOSPC : inotify.Watch(paths.Absolute(folder), mask);
        if (watch < 0)
        {
            Unwatch(folder);
            WatchResult why = -watch switch
            {
                LibC.ENOENT or LibC.ENOTDIR or LibC.ELOOP => WatchResult.Gone,
                LibC.ENOSPC => WatchResult.Limit,
                _ => WatchResult.Refused,
            };
            if (why != WatchResult.Gone)
            {
                Unwatched.Add(folder);
            }

            return why;
        }

        Unwatched.Remove(folder);
        if (folder.Watch != watch)
        {
            Unwatch(folder);
            if (_byWatch.TryGetValue(watch, out WatchedFolder? other))
            {
                other.Watch = -1; // the same folder under the name that it had before: a rename whose event was lost
            }

            folder.Watch = watch;
            _byWatch[watch] = folder;
        }

        return WatchResult.Watched;
    }

    /// <summary>The kernel has ended a watch. When the folder is still there after all, a scan finds it again.</summary>
    public void OnWatchEnded(int watch)
    {
        if (_byWatch.Remove(watch, out WatchedFolder? folder) && !folder.IsDetached)
        {
            folder.Watch = -1;
            Unwatched.Add(folder);
        }
    }

    /// <summary>The memory of a name; a null reference when there is none.</summary>
    public static ref FileEntry Find(WatchedFolder folder, ReadOnlySpan<byte> name) =>
        ref CollectionsMarshal.GetValueRefOrNullRef(folder.Entries.GetAlternateLookup<ReadOnlySpan<byte>>(), name);

    /// <summary>The memory of a path that is relative to the root; a null reference when there is none.</summary>
    public ref FileEntry FindPath(ReadOnlySpan<byte> relative)
    {
        WatchedFolder folder = Root;
        while (relative.IndexOf((byte)'/') is > 0 and int slash)
        {
            ref FileEntry above = ref Find(folder, relative[..slash]);
            if (Unsafe.IsNullRef(ref above) || above.Folder is not { } below)
            {
                return ref Unsafe.NullRef<FileEntry>();
            }

            folder = below;
            relative = relative[(slash + 1)..];
        }

        return ref Find(folder, relative);
    }

    /// <summary>
    /// Remembers a new name. Folders with watched content are always remembered; of the other names, as many as the bound allows. A null
    /// reference when the name is not remembered.
    /// </summary>
    public ref FileEntry Add(WatchedFolder folder, ReadOnlySpan<byte> name, FileKind kind)
    {
        bool isWatched = kind == FileKind.Folder && options.Recursive;
        if (Entries >= options.MaxEntries && !isWatched)
        {
            folder.IsPartial = true;
            return ref Unsafe.NullRef<FileEntry>();
        }

        byte[] key = name.ToArray();
        ref FileEntry entry = ref CollectionsMarshal.GetValueRefOrAddDefault(folder.Entries, key, out bool existed)!;
        Entries += existed ? 0 : 1;
        entry.Kind = kind;
        entry.ModifiedNs = FileEntry.Unknown;
        entry.SeenInScan = folder.Scan;
        if (isWatched && entry.Folder is null)
        {
            entry.Folder = new WatchedFolder(folder, key);
        }

        return ref entry;
    }

    /// <summary>Puts a renamed entry under its new name; the entry's folder keeps its content and its watches.</summary>
    public void Put(WatchedFolder folder, ReadOnlySpan<byte> name, FileEntry entry)
    {
        if (Entries >= options.MaxEntries && entry.Folder is null)
        {
            folder.IsPartial = true;
            return;
        }

        byte[] key = name.ToArray();
        entry.SeenInScan = folder.Scan;
        if (entry.Folder is { } moved)
        {
            moved.Parent = folder;
            moved.Name = key;
        }

        Entries++;
        folder.Entries.Add(key, entry);
    }

    /// <summary>Forgets a name, but not the names below it.</summary>
    public bool Remove(WatchedFolder folder, ReadOnlySpan<byte> name, out FileEntry entry)
    {
        if (!folder.Entries.GetAlternateLookup<ReadOnlySpan<byte>>().Remove(name, out _, out entry))
        {
            return false;
        }

        Entries--;
        return true;
    }

    /// <summary>Forgets a folder and everything below it, and ends the watches.</summary>
    public void Detach(WatchedFolder folder)
    {
        Clear(folder);
        folder.IsDetached = true;
        Unwatch(folder);
        Unwatched.Remove(folder);
    }

    /// <summary>Forgets the names in a folder.</summary>
    public void Clear(WatchedFolder folder)
    {
        foreach (FileEntry entry in folder.Entries.Values)
        {
            if (entry.Folder is { } below)
            {
                Detach(below);
            }
        }

        Entries -= folder.Entries.Count;
        folder.Entries.Clear();
        folder.IsPartial = false;
    }

    /// <summary>Forgets all names, so that they will be found as new; the folders come back with their watches.</summary>
    public void ForgetEntries()
    {
        foreach (WatchedFolder folder in _byWatch.Values.Where(folder => folder != Root))
        {
            folder.IsDetached = true;
            folder.Watch = -1;
        }

        Unwatched.RemoveWhere(folder => folder != Root);
        Root.Entries.Clear();
        Root.IsPartial = false;
        Entries = 0;
    }

    /// <summary>Ends the watches of a folder and of everything below it; the remembered names stay.</summary>
    public void UnwatchAll(WatchedFolder folder)
    {
        foreach (FileEntry entry in folder.Entries.Values)
        {
            if (entry.Folder is { } below)
            {
                UnwatchAll(below);
            }
        }

        Unwatch(folder);
    }

    private void Unwatch(WatchedFolder folder)
    {
        if (folder.Watch >= 0)
        {
            inotify.Forget(folder.Watch);
            _byWatch.Remove(folder.Watch);
            folder.Watch = -1;
        }
    }
}
