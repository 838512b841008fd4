using System.Text;
using Cocaine.Fast.Drivers.FileSystem;
using Cocaine.Fast.Transport.Files;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Drivers.Tests.FileSystem;

/// <summary>
/// A copy of a folder in memory that knows only what the delivered changes say, and applies them strictly, as an app does with real
/// files: what cannot be applied is a fault.
/// </summary>
internal sealed class ContentMirror(string path)
{
    private const string Folder = "folder";
    private readonly SortedDictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly List<string> _heard = [];

    /// <summary>The content of the folder now: each name with its kind and content.</summary>
    public static SortedDictionary<string, string> OnDisk(string path)
    {
        SortedDictionary<string, string> names = new(StringComparer.Ordinal);
        EnumerationOptions all = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None };
        foreach (string one in Directory.EnumerateFileSystemEntries(path, "*", all))
        {
            names[Path.GetRelativePath(path, one)] = Read(one) ?? "gone";
        }

        return names;
    }

    public void Learn() => OnDisk(path).ToList().ForEach(one => _names.Add(one.Key, one.Value));

    /// <summary>Takes the changes off the burst and applies them; the status of each is asked for, as when a job is made of them.</summary>
    public void Take(Burst burst, TreeWatcher watcher)
    {
        while (burst.First is { } change)
        {
            _heard.Add($"{change.Kind} {(change.From is null ? "" : Text(change.From) + " ")}{Text(change.Name)}{(change.IsFolder ? "/" : "")}");
            if (change.Kind is ChangeKind.Created or ChangeKind.Modified)
            {
                watcher.TryTell(change.Name, out _, out bool isRemembered);
                change.IsMissed = !isRemembered;
            }

            Apply(change, Text(change.Name));
            burst.RemoveFirst();
        }
    }

    public bool Equals(SortedDictionary<string, string> disk) => _names.SequenceEqual(disk);

    /// <summary>How the mirror and the folder differ, and the last changes that were heard.</summary>
    public string Difference(SortedDictionary<string, string> disk)
    {
        IEnumerable<string> names = _names.Keys.Union(disk.Keys).Where(name => _names.GetValueOrDefault(name) != disk.GetValueOrDefault(name));
        return string.Join("; ", names.Select(name => $"{name}: mirror {Short(_names, name)}, disk {Short(disk, name)}"))
            + $"\nheard: {string.Join(", ", _heard.TakeLast(60))}";
    }

    private static string Short(SortedDictionary<string, string> names, string name) =>
        names.TryGetValue(name, out string? content) ? content[..Math.Min(20, content.Length)] + $"({content.Length})" : "nothing";

    private static string? Read(string name)
    {
        try
        {
            return !FileStatus.TryRead(Encoding.UTF8.GetBytes(name + '\0'), follow: false, out FileStatus status) ? null : status.Kind switch
            {
                FileKind.Folder => Folder,
                FileKind.Link => "link",
                _ => status.IsPlain ? "file " + File.ReadAllText(name) : "device",
            };
        }
        catch (IOException)
        {
            return null; // gone meanwhile
        }
    }

    private void Apply(FileChange change, string name)
    {
        switch (change.Kind)
        {
            case ChangeKind.Created when name is "":
                break; // the watched folder itself is back
            case ChangeKind.Deleted when name is "":
                Check(change, _names.Count == 0, "names in it are left");
                break;
            case ChangeKind.Created or ChangeKind.Modified:
                Check(change, Parent(name) is "" || _names.GetValueOrDefault(Parent(name)) == Folder, "its folder is not there");
                Check(change, change.IsFolder || _names.GetValueOrDefault(name) != Folder, "it is a folder");
                _names[name] = change.IsFolder ? Folder : Read(Path.Combine(path, name)) is { } there and not Folder ? there : "unread";
                break;
            case ChangeKind.Deleted:
                Check(change, !Below(name).Any(), "the folder is not empty");
                _names.Remove(name);
                break;
            case ChangeKind.Moved:
                Move(change, Text(change.From!), name);
                break;
        }
    }

    private void Move(FileChange change, string from, string to)
    {
        Check(change, _names.TryGetValue(from, out string? content), "the old name is not there");
        Check(change, Parent(to) is "" || _names.GetValueOrDefault(Parent(to)) == Folder, "the new folder is not there");
        Check(change, !_names.TryGetValue(to, out string? replaced) || (content != Folder && replaced != Folder), "it would replace a folder");
        string[] below = [.. Below(from)];
        _names.Remove(from);
        _names[to] = content!;
        foreach (string one in below)
        {
            _names.Remove(one, out string? moved);
            _names[to + one[from.Length..]] = moved!;
        }
    }

    private IEnumerable<string> Below(string name) => _names.Keys.Where(one => one.StartsWith(name + "/", StringComparison.Ordinal));

    private void Check(FileChange change, bool condition, string otherwise) =>
        Assert.True(condition, $"{change.Kind} {Text(change.Name)}: {otherwise}; heard: {string.Join(", ", _heard.TakeLast(60))}");

    private static string Parent(string name) => name.Contains('/') ? name[..name.LastIndexOf('/')] : "";

    private static string Text(byte[] name) => Encoding.UTF8.GetString(name);
}
