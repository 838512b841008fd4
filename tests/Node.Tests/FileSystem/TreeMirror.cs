using System.Text;
using Cocaine.Fast.Drivers.FileSystem;

namespace Cocaine.Fast.Node.Tests.FileSystem;

/// <summary>What someone knows of a tree who only hears of its changes, in order.</summary>
internal sealed class TreeMirror
{
    public SortedSet<string> Names { get; } = new(StringComparer.Ordinal);

    /// <summary>Every name that was ever spoken of.</summary>
    public HashSet<string> Heard { get; } = [];

    /// <summary>Applies all that is in a burst, and empties it.</summary>
    public void Take(Burst burst)
    {
        while (burst.First is { } change)
        {
            Apply(change);
            burst.RemoveFirst();
        }
    }

    private void Apply(FileChange change)
    {
        string name = Encoding.UTF8.GetString(change.Name);
        Heard.Add(name);
        switch (change.Kind)
        {
            case ChangeKind.Created or ChangeKind.Modified:
                Names.Add(name);
                break;
            case ChangeKind.Deleted:
                Names.Remove(name);
                break;
            case ChangeKind.Moved:
                string from = Encoding.UTF8.GetString(change.From!);
                string[] below = [.. Names.Where(one => one == from || one.StartsWith(from + "/", StringComparison.Ordinal))];
                Names.ExceptWith(below);
                Names.UnionWith(below.Select(one => name + one[from.Length..]).Append(name));
                break;
        }
    }
}
