using System.Text;
using Cocaine.Fast.Transport.Files;

namespace Cocaine.Fast.Drivers.Tests.FileSystem;

/// <summary>Files and folders of a few names, to which things are done at random; each is told as a watcher tells it.</summary>
internal sealed class FileModel(IFileChanges changes, Random random)
{
    private static readonly string[] Files = ["a", "b", "c", "f/a", "f/b", "g/a"];
    private static readonly string[] Folders = ["f", "g", "h"];

    public SortedSet<string> Names { get; } = new(StringComparer.Ordinal);

    public static void Rename(SortedSet<string> names, string from, string to)
    {
        string[] below = [.. names.Where(one => one == from || one.StartsWith(from + "/", StringComparison.Ordinal))];
        names.ExceptWith(below);
        names.UnionWith(below.Select(one => to + one[from.Length..]).Append(to));
    }

    public void DoOne()
    {
        string file = Files[random.Next(Files.Length)], folder = Folders[random.Next(Folders.Length)];
        switch (random.Next(8))
        {
            case < 3:
                Write(file);
                break;
            case 3:
                DeleteFile(file);
                break;
            case 4 or 5:
                MoveFile(file, Files[random.Next(Files.Length)]);
                break;
            case 6 when Names.Contains(folder):
                DeleteFolder(folder);
                break;
            case 6:
                Names.Add(folder);
                changes.Created(Bytes(folder), isFolder: true);
                break;
            default:
                MoveFolder(folder, Folders[random.Next(Folders.Length)]);
                break;
        }
    }

    private void Write(string file)
    {
        if (!HasPlace(file))
        {
            return;
        }

        if (Names.Add(file))
        {
            changes.Created(Bytes(file), isFolder: false);
        }

        changes.Modified(Bytes(file));
    }

    private void DeleteFile(string file)
    {
        if (Names.Remove(file))
        {
            changes.Deleted(Bytes(file), isFolder: false);
        }
    }

    private void MoveFile(string from, string to)
    {
        if (from == to || !Names.Contains(from) || !HasPlace(to))
        {
            return;
        }

        bool replaced = Names.Contains(to);
        Rename(Names, from, to);
        changes.Moved(Bytes(from), Bytes(to), isFolder: false, replaced);
    }

    private void DeleteFolder(string folder)
    {
        foreach (string file in Names.Where(one => one.StartsWith(folder + "/", StringComparison.Ordinal)).ToArray())
        {
            DeleteFile(file);
        }

        Names.Remove(folder);
        changes.Deleted(Bytes(folder), isFolder: true);
    }

    private void MoveFolder(string from, string to)
    {
        if (from != to && Names.Contains(from) && !Names.Contains(to))
        {
            Rename(Names, from, to);
            changes.Moved(Bytes(from), Bytes(to), isFolder: true, replaced: false);
        }
    }

    private bool HasPlace(string file) => !file.Contains('/') || Names.Contains(file[..file.IndexOf('/')]);

    private static byte[] Bytes(string name) => Encoding.UTF8.GetBytes(name);
}
