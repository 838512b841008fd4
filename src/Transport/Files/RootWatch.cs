using System.Text;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Files;

/// <summary>The kind of a watched path now.</summary>
internal enum RootKind
{
    /// <summary>The path does not exist.</summary>
    Missing,

    /// <summary>A folder, or a link to one.</summary>
    Folder,

    /// <summary>Neither a folder nor a link to one.</summary>
    File,
}

/// <summary>
/// Finds out what kind of path the watched one is, and watches the folders above it, to notice changes of the path: it is made, deleted or
/// replaced, or a folder above it is renamed.
/// </summary>
internal sealed class RootWatch(Inotify inotify, FolderTree tree, string path)
{
    /// <summary>Events of a folder above: its own end. Its other names make no events.</summary>
    private const uint SelfMask = Inotify.DeleteSelf | Inotify.MoveSelf | Inotify.OnlyFolder;

    /// <summary>Events of the folder in which the path's next part is, or will be.</summary>
    private const uint NamesMask = SelfMask | Inotify.Create | Inotify.MovedTo | Inotify.Delete | Inotify.MovedFrom;

    /// <summary>Events of the folder in which the watched one is.</summary>
    private const uint EndMask = SelfMask | Inotify.Delete | Inotify.MovedFrom;

    private const uint ContentMask = Inotify.Modify | Inotify.CloseWrite;

    /// <summary>The most looks at a path that changes each time; after them, the path is looked at again later.</summary>
    private const int MaxLooks = 20;

    private HashSet<int> _above = [];
    private int _namesWatch = -1;      // the watch that reports _awaited
    private byte[] _awaited = [];

    public RootKind Kind { get; private set; }

    /// <summary>Status of the file or folder; valid unless Missing.</summary>
    public FileStatus Status { get; private set; }

    /// <summary>The first watch that could not be made, as a negative errno; 0 when all could.</summary>
    public int Failure { get; private set; }

    /// <summary>The path with its closing zero byte.</summary>
    private readonly byte[] _path = [.. Encoding.UTF8.GetBytes(path), 0];

    /// <summary>The watch belongs to a folder above the path, or to the file's.</summary>
    public bool Owns(int watch) => _above.Contains(watch);

    /// <summary>The event means that another file or folder may be at the path now.</summary>
    public bool IsChange(in InotifyEvent happened) =>
        happened.Has(Inotify.DeleteSelf | Inotify.MoveSelf | Inotify.Unmount | Inotify.Ignored)
        || (IsAwaited(in happened) && happened.Has(Inotify.Create | Inotify.MovedTo | Inotify.Delete | Inotify.MovedFrom));

    /// <summary>The path is a file, and its content was written to.</summary>
    public bool IsContent(in InotifyEvent happened) => Kind == RootKind.File && IsAwaited(in happened) && happened.Has(ContentMask);

    /// <summary>Looks at the path again.</summary>
    public void Resolve()
    {
        HashSet<int> before = _above;
        for (int look = 0; look < MaxLooks; look++)
        {
            _above = [];
            Failure = 0;
            if (TryResolve())
            {
                break;
            }
        }

        foreach (int watch in before)
        {
            if (!_above.Contains(watch) && tree.Find(watch) is null)
            {
                inotify.Forget(watch);
            }
        }
    }

    /// <summary>The path has changed, and no event has reported it.</summary>
    public bool HasChanged() => Look(out FileStatus now) != Kind || (Kind != RootKind.Missing && now.Identity != Status.Identity);

    /// <summary>The file was written to: its new status is known from now on.</summary>
    public void Refresh()
    {
        if (Look(out FileStatus now) == RootKind.File && now.Identity == Status.Identity)
        {
            Status = now;
        }
    }

    private bool IsAwaited(in InotifyEvent happened) => happened.Watch == _namesWatch && happened.Name.SequenceEqual(_awaited);

    /// <summary>One look from the top down; false when the path changed meanwhile.</summary>
    private bool TryResolve()
    {
        _namesWatch = -1;
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        string above = "/";
        for (int i = 0; i < parts.Length; i++)
        {
            string next = above == "/" ? $"/{parts[i]}" : $"{above}/{parts[i]}";
            WatchAbove(above, SelfMask);
            bool isLast = i == parts.Length - 1;
            if (!FileStatus.TryRead(Bytes(next), follow: !isLast, out FileStatus status) || (!isLast && status.Kind != FileKind.Folder))
            {
                Kind = RootKind.Missing;
                Await(above, parts[i], NamesMask);
                return !FileStatus.TryRead(Bytes(next), follow: !isLast, out FileStatus now) || (!isLast && now.Kind != FileKind.Folder);
            }

            if (isLast)
            {
                // A link may be set to another folder, and a file may be replaced. A folder that is some process's current folder ends
                // without an event of its own, so its name is watched too.
                Await(above, parts[i], status.Kind == FileKind.Folder ? EndMask : NamesMask | ContentMask);
            }

            above = next;
        }

        Kind = Look(out FileStatus found);
        Status = found;
        if (Kind == RootKind.Folder)
        {
            WatchAbove(path, SelfMask | Inotify.AddToMask);
        }

        return Kind != RootKind.Missing;
    }

    private RootKind Look(out FileStatus status)
    {
        if (!FileStatus.TryRead(_path, follow: false, out status))
        {
            return RootKind.Missing;
        }

        if (status.Kind == FileKind.Link && !FileStatus.TryRead(_path, follow: true, out status))
        {
            return RootKind.Missing; // a link to nothing
        }

        return status.Kind == FileKind.Folder ? RootKind.Folder : RootKind.File;
    }

    private void Await(string folder, string name, uint mask)
    {
        _awaited = Encoding.UTF8.GetBytes(name);
        _namesWatch = WatchAbove(folder, mask);
    }

    private int WatchAbove(string folder, uint mask)
    {
        int watch = inotify.Watch(Bytes(folder), mask);
        if (watch >= 0)
        {
            _above.Add(watch);
        }
        else if (Failure == 0 && -watch is not (LibC.ENOENT or LibC.ENOTDIR))
        {
            Failure = watch;
        }

        return watch;
    }

    private static byte[] Bytes(string text) => [.. Encoding.UTF8.GetBytes(text), 0];
}
