using System.Text;
using Cocaine.Fast.Transport.Files;

namespace Cocaine.Fast.Transport.Tests.Files;

/// <summary>The change of a name.</summary>
internal enum ChangeKind
{
    Created,
    Modified,
    Deleted,
    Moved,
}

/// <summary>
/// What someone knows of a tree who only hears of its changes, in order. They wait until the test takes them, and are full at a number.
/// </summary>
internal sealed class TreeMirror(int maxWaiting) : IFileChanges
{
    private readonly Queue<(ChangeKind Kind, string Name, string From)> _waiting = [];

    public SortedSet<string> Names { get; } = new(StringComparer.Ordinal);

    /// <summary>Every name that was ever spoken of.</summary>
    public HashSet<string> Heard { get; } = [];

    public int Waiting => _waiting.Count;

    public bool IsFull => Waiting >= maxWaiting;

    public void Created(ReadOnlySpan<byte> name, bool isFolder) => _waiting.Enqueue((ChangeKind.Created, Text(name), ""));

    public void Modified(ReadOnlySpan<byte> name) => _waiting.Enqueue((ChangeKind.Modified, Text(name), ""));

    public void Deleted(ReadOnlySpan<byte> name, bool isFolder) => _waiting.Enqueue((ChangeKind.Deleted, Text(name), ""));

    public void Moved(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, bool isFolder, bool replaced) =>
        _waiting.Enqueue((ChangeKind.Moved, Text(to), Text(from)));

    /// <summary>Applies all that waits; the kinds of change that it were.</summary>
    public HashSet<ChangeKind> Take()
    {
        HashSet<ChangeKind> kinds = [];
        while (_waiting.TryDequeue(out (ChangeKind Kind, string Name, string From) change))
        {
            kinds.Add(change.Kind);
            Apply(change.Kind, change.Name, change.From);
        }

        return kinds;
    }

    private void Apply(ChangeKind kind, string name, string from)
    {
        Heard.Add(name);
        switch (kind)
        {
            case ChangeKind.Created or ChangeKind.Modified:
                Names.Add(name);
                break;
            case ChangeKind.Deleted:
                Names.Remove(name);
                break;
            case ChangeKind.Moved:
                string[] below = [.. Names.Where(one => one == from || one.StartsWith(from + "/", StringComparison.Ordinal))];
                Names.ExceptWith(below);
                Names.UnionWith(below.Select(one => name + one[from.Length..]).Append(name));
                break;
        }
    }

    private static string Text(ReadOnlySpan<byte> name) => Encoding.UTF8.GetString(name);
}
