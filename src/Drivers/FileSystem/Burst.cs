using Cocaine.Fast.Transport.Files;

namespace Cocaine.Fast.Drivers.FileSystem;

/// <summary>
/// Changes that wait to be delivered, in order and merged: who applies them one after the other to what there was before gets what is
/// there now. A file that was made and written to is created once; one that an editor replaced by a rename is modified.
/// </summary>
internal sealed class Burst(int maxChanges) : IFileChanges
{
    private readonly Dictionary<byte[], FileChange> _last = new(NameComparer.Instance); // a name's newest change, where it can be merged
    private FileChange? _newest;

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

    /// <summary>Takes the oldest out: it was delivered, or is not wanted.</summary>
    public void RemoveFirst() => Remove(First!);

    private void AddCreated(ReadOnlySpan<byte> name, bool isFolder)
    {
        if (Last(name) is not { } last)
        {
            Append(new FileChange(ChangeKind.Created, name.ToArray()) { IsFolder = isFolder });
        }
        else if (last.Kind == ChangeKind.Deleted)
        {
            if (last.IsFolder || isFolder)
            {
                // The content of a folder was deleted and is made anew, too: that must stand between.
                Append(new FileChange(ChangeKind.Created, name.ToArray()) { IsFolder = isFolder });
                return;
            }

            last.Kind = last.Flag ? ChangeKind.Created : ChangeKind.Modified; // replaced, when it was known
            last.Flag = false;
        }
    }

    private void AddModified(ReadOnlySpan<byte> name)
    {
        FileChange? last = Last(name);
        if (last is null || last.Kind is ChangeKind.Deleted or ChangeKind.Moved)
        {
            Append(new FileChange(ChangeKind.Modified, name.ToArray()));
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
                    _last.Clear(); // what was in it stands before its end, and what comes to be in another of its name after
                }

                Append(new FileChange(ChangeKind.Deleted, name.ToArray()) { IsFolder = isFolder });
                break;
        }
    }

    /// <summary>Moved and then deleted: its old name is what was deleted, where it stands; a new file there replaced it.</summary>
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
            Append(new FileChange(ChangeKind.Deleted, name.ToArray()));
        }
    }

    private void AddMoved(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, bool isFolder, bool replaced)
    {
        if (isFolder)
        {
            // Names below it change with it: what was said of them before stands, and is not merged with what comes.
            Append(new FileChange(ChangeKind.Moved, to.ToArray()) { From = from.ToArray(), IsFolder = true, Flag = replaced });
            _last.Clear();
            return;
        }

        FileChange? source = Last(from);
        if (source is { Kind: ChangeKind.Created })
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
        if (Last(to) is { Kind: not ChangeKind.Moved } overwritten)
        {
            replaced = overwritten.Kind == ChangeKind.Modified || overwritten is { Kind: ChangeKind.Deleted, Flag: false };
            Remove(overwritten);
        }

        Append(new FileChange(ChangeKind.Moved, to.ToArray()) { From = from.ToArray(), Flag = replaced });
    }

    private FileChange? Last(ReadOnlySpan<byte> name)
    {
        _last.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(name, out FileChange? last);
        return last;
    }

    private void Append(FileChange change)
    {
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
