using Cocaine.Fast.Transport.Files;

namespace Cocaine.Fast.Drivers.FileSystem;

/// <summary>
/// Changes that wait to be delivered, in order and merged. A reader that applies them one after the other to the old state gets the present
/// state. A file that was made and written to is created once; a file that an editor replaced by a rename is modified.
/// </summary>
internal sealed class Burst(int maxChanges) : IFileChanges
{
    private readonly Dictionary<byte[], FileChange> _last = new(NameComparer.Instance); // a name's newest change
    private FileChange? _newest;
    private long _changes;
    private long _firstOpen; // older changes are not merged with new ones, because a folder has moved or ended between them

    /// <summary>The oldest change.</summary>
    public FileChange? First { get; private set; }

    public int Count { get; private set; }

    public bool IsFull => Count >= maxChanges;

    /// <summary>Called after each change.</summary>
    public Action OnChange { get; set; } = static () => { };

    public void Created(ReadOnlySpan<byte> name, bool isFolder)
    {
        AddCreated(name, isFolder);
        OnChange();
    }

    public void Modified(ReadOnlySpan<byte> name)
    {
        AddModified(name);
        OnChange();
    }

    public void Deleted(ReadOnlySpan<byte> name, bool isFolder)
    {
        AddDeleted(name, isFolder);
        OnChange();
    }

    public void Moved(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, bool isFolder, bool replaced)
    {
        AddMoved(from, to, isFolder, replaced);
        OnChange();
    }

    /// <summary>Removes the oldest change: it was delivered, or is not wanted.</summary>
    public void RemoveFirst()
    {
        FileChange first = First!;
        bool isNewest = _last.TryGetValue(first.Name, out FileChange? last) && last == first;
        Remove(first);
        if (first is { HasContent: true, IsMissed: true } && isNewest && _last.Count < maxChanges + Count)
        {
            first.IsDelivered = true;
            _last[first.Name] = first; // when the file turns up under another name, its content is reported there
        }
    }

    private void AddCreated(ReadOnlySpan<byte> name, bool isFolder)
    {
        if (Last(name) is not { } last)
        {
            Append(ChangeKind.Created, name, isFolder);
        }
        else if (last.Kind == ChangeKind.Deleted)
        {
            if (last.IsFolder || isFolder)
            {
                // The content of a folder was deleted and is made again: both changes must stay separate.
                Append(ChangeKind.Created, name, isFolder);
                return;
            }

            last.Kind = last.Flag ? ChangeKind.Created : ChangeKind.Modified; // replaced, when its creation was not delivered yet
            last.Flag = false;
        }
    }

    private void AddModified(ReadOnlySpan<byte> name)
    {
        FileChange? last = Last(name);
        if (last is null || last.Kind is ChangeKind.Deleted or ChangeKind.Moved)
        {
            Append(ChangeKind.Modified, name);
        }
    }

    private void AddDeleted(ReadOnlySpan<byte> name, bool isFolder)
    {
        FileChange? last = Last(name);
        switch (last?.Kind)
        {
            case ChangeKind.Created when !isFolder:
                last.Kind = ChangeKind.Deleted;
                last.Flag = true;
                break;
            case ChangeKind.Modified:
                last.Kind = ChangeKind.Deleted;
                break;
            case ChangeKind.Deleted when last.IsFolder == isFolder:
                break;
            case ChangeKind.Moved when !isFolder:
                DeleteMoved(last, name);
                break;
            default:
                if (isFolder)
                {
                    _firstOpen = _changes; // changes of its content stand before its end; a later folder of its name comes after
                }

                Append(ChangeKind.Deleted, name, isFolder);
                break;
        }
    }

    /// <summary>
    /// The file moved and was then deleted: the deletion has its old name and stays in its place; a new file there replaced it.
    /// </summary>
    private void DeleteMoved(FileChange moved, ReadOnlySpan<byte> name)
    {
        byte[] from = moved.From!;
        bool replaced = moved.Flag;
        _last.Remove(moved.Name);
        FileChange? again = Last(from);
        if (again is { Kind: ChangeKind.Created, IsFolder: false })
        {
            again.Kind = ChangeKind.Modified;
            Remove(moved);
        }
        else
        {
            moved.Kind = ChangeKind.Deleted;
            moved.Name = from;
            moved.From = null;
            moved.Flag = false;
            if (again is null)
            {
                _last[from] = moved;
            }
            else if (again is { Kind: ChangeKind.Deleted, Flag: true })
            {
                Remove(again);
                _last[from] = moved;
            }
        }

        if (replaced)
        {
            Append(ChangeKind.Deleted, name);
        }
    }

    private void AddMoved(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, bool isFolder, bool replaced)
    {
        if (isFolder)
        {
            AddMovedFolder(from, to, replaced);
            return;
        }

        bool hasContent = Content(from) is not null;
        FileChange? source = Last(from);
        if (source is { Kind: ChangeKind.Created, IsFolder: false })
        {
            Remove(source); // a temporary name
            if (replaced)
            {
                AddModified(to);
            }
            else
            {
                AddCreated(to, isFolder: false);
            }

            return;
        }

        if (source is { Kind: ChangeKind.Modified })
        {
            Remove(source);
        }

        _last.GetAlternateLookup<ReadOnlySpan<byte>>().Remove(from);
        if (Last(to) is { Kind: not ChangeKind.Moved, IsFolder: false } overwritten)
        {
            hasContent |= overwritten.HasContent; // may be the moved file's: a writer can be faster than the kernel's report of the move
            replaced = overwritten.Kind == ChangeKind.Modified || overwritten is { Kind: ChangeKind.Deleted, Flag: false };
            Remove(overwritten);
        }

        Append(ChangeKind.Moved, to, from: from.ToArray(), flag: replaced);
        if (hasContent)
        {
            AddModified(to); // the reader could not read the content under the old name any more
        }
    }

    /// <summary>
    /// Names below the folder change with it: earlier changes of them stay as they are, and are not merged with later ones. Content that
    /// waits there is reported under its new name, because the reader finds nothing under the old one.
    /// </summary>
    private void AddMovedFolder(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, bool replaced)
    {
        List<byte[]>? below = null;
        foreach ((byte[] name, FileChange change) in _last)
        {
            if (change.HasContent && name.Length > from.Length && name[from.Length] == (byte)'/' && name.AsSpan().StartsWith(from))
            {
                (below ??= []).Add(name);
            }
        }

        foreach (byte[] name in below ?? [])
        {
            if (_last[name] is { Kind: ChangeKind.Modified, IsDelivered: false })
            {
                Remove(_last[name]);
            }
            else
            {
                _last.Remove(name);
            }
        }

        Append(ChangeKind.Moved, to, isFolder: true, from.ToArray(), replaced);
        _firstOpen = _changes;
        foreach (byte[] name in below ?? [])
        {
            AddModified([.. to, .. name.AsSpan(from.Length)]);
        }
    }

    /// <summary>The newest change of a name, when it can be merged with a new one.</summary>
    private FileChange? Last(ReadOnlySpan<byte> name) =>
        _last.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(name, out FileChange? last)
            && last.Number >= _firstOpen && !last.IsDelivered ? last : null;

    /// <summary>The newest change of a name, when it tells the reader to read the content.</summary>
    private FileChange? Content(ReadOnlySpan<byte> name) =>
        _last.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(name, out FileChange? last) && last.HasContent ? last : null;

    private void Append(ChangeKind kind, ReadOnlySpan<byte> name, bool isFolder = false, byte[]? from = null, bool flag = false)
    {
        FileChange change = new(kind, name.ToArray()) { IsFolder = isFolder, From = from, Flag = flag, Number = _changes++ };
        change.Previous = _newest;
        if (_newest is null)
        {
            First = change;
        }
        else
        {
            _newest.Next = change;
        }

        _newest = change;
        _last[change.Name] = change;
        Count++;
    }

    private void Remove(FileChange change)
    {
        if (_last.TryGetValue(change.Name, out FileChange? last) && last == change)
        {
            _last.Remove(change.Name);
        }

        if (change.Previous is { } previous)
        {
            previous.Next = change.Next;
        }
        else
        {
            First = change.Next;
        }

        if (change.Next is { } next)
        {
            next.Previous = change.Previous;
        }
        else
        {
            _newest = change.Previous;
        }

        change.Next = change.Previous = null;
        Count--;
    }
}
