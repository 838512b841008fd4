namespace Cocaine.Fast.Drivers.Tests.FileSystem;

/// <summary>Does everything that can be done to files, at random: in one folder, and between it and another.</summary>
internal sealed class FileOperations(string root, string elsewhere, Random random)
{
    /// <summary>What changes the places of whole folders.</summary>
    private static readonly int[] OfFolders = [6, 8, 9, 10, 11, 15, 16, 17, 17, 22];

    private readonly bool _mostlyFolders = random.Next(3) == 0;
    private readonly List<string> _done = [];
    private int _written;

    /// <summary>What was done, for the report of a failure.</summary>
    public string Done => string.Join(", ", _done.TakeLast(40)).Replace(root + "/", "", StringComparison.Ordinal);

    public void Do(int count)
    {
        for (int i = 0; i < count; i++)
        {
            try
            {
                DoOne(_mostlyFolders && random.Next(4) > 0 ? OfFolders[random.Next(OfFolders.Length)] : random.Next(23));
            }
            catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException)
            {
                _done[^1] += " (refused)"; // into itself, onto a folder with content, a folder as a file: an answer, too
            }
        }
    }

    private void DoOne(int kind)
    {
        switch (kind)
        {
            case 0 or 1:
                Write("create", New(root), Text());
                break;
            case 2 when OwnFile() is { } file:
                Write("write", file, Text());
                break;
            case 3 when OwnFile() is { } file:
                Note("append", file);
                File.AppendAllText(file, Text());
                break;
            case 4 when OwnFile() is { } file:
                Note("truncate", file);
                using (FileStream stream = new(file, FileMode.Open))
                {
                    stream.SetLength(random.Next(3));
                }

                break;
            case 5 when OwnFile() is { } file:
                Note("touch", file);
                File.OpenHandle(file, FileMode.Open, FileAccess.Write).Dispose();
                File.SetLastWriteTimeUtc(file, DateTime.UtcNow);
                break;
            case 6 or 7 when Any(root) is { } from:
                Rename("rename", from, New(root), FileRenames.TryReplace);
                break;
            case 8 when Any(root) is { } from && Any(root) is { } to:
                Rename("replace", from, to, FileRenames.TryReplace);
                break;
            case 9 or 10 when Any(root) is { } one && Any(root) is { } other:
                Rename("exchange", one, other, FileRenames.TryExchange);
                break;
            case 11 when Any(root) is { } one && Any(elsewhere) is { } other:
                bool isSource = random.Next(2) == 0;
                Rename("exchange", isSource ? one : other, isSource ? other : one, FileRenames.TryExchange);
                break;
            case 12 when Any(root) is { } from:
                Rename("keep", from, New(root), FileRenames.TryKeepOld);
                break;
            case 13 when Any(root) is { } from:
                Rename("whiteout", from, random.Next(3) == 0 ? New(elsewhere) : New(root), FileRenames.TryWhiteout);
                break;
            case 14 when Any(root) is { } from:
                Rename("link", from, New(root), FileRenames.TryLink);
                break;
            case 15 when Any(root) is { } from:
                Rename("out", from, New(elsewhere), FileRenames.TryReplace);
                break;
            case 16 when Any(elsewhere) is { } from:
                Rename("in", from, random.Next(3) == 0 && Any(root) is { } replaced ? replaced : New(root), FileRenames.TryReplace);
                break;
            case 17:
                string folder = New(root);
                Note("mkdir", folder);
                Directory.CreateDirectory(random.Next(2) == 0 ? folder : Path.Combine(folder, "p", "q"));
                break;
            case 18 when Any(root) is { } gone:
                Note("delete", gone);
                Delete(gone, recursive: random.Next(4) == 0);
                break;
            case 20:
                string link = New(root);
                Note("symlink", link);
                File.CreateSymbolicLink(link, "nowhere");
                break;
            case 21:
                Note("scan");
                MoveRoot();
                break;
            case 22 when random.Next(4) == 0:
                Note("scan before events");
                MakeScanBeforeEvents();
                break;
            case 19 when OwnFile() is { } file:
                string temporary = New(root) + ".tmp";
                Write("save", temporary, Text());
                Rename("as", temporary, file, random.Next(2) == 0 ? FileRenames.TryReplace : FileRenames.TryExchange);
                break;
        }
    }

    /// <summary>Makes the watcher scan the whole tree, and more events than it reads at once: the scan is before later events.</summary>
    public void MakeScanBeforeEvents()
    {
        MoveRoot();
        string name = Path.Combine(root, "x");
        for (int i = 0; i < 1_000; i++)
        {
            File.Create(name).Dispose();
            File.Delete(name);
        }
    }

    private void MoveRoot()
    {
        Directory.Move(root, root + "-away");
        Directory.Move(root + "-away", root);
    }

    /// <summary>Each text has a length of its own, so that no other content has the same size.</summary>
    private string Text()
    {
        _written++;
        return $"{_written}:" + new string((char)('a' + (_written % 26)), _written * 7);
    }

    private void Note(string what, params string[] names) => _done.Add($"{what} {string.Join(' ', names)}");

    private void Write(string what, string name, string text)
    {
        Note(what, name);
        if (!File.Exists(name) || FileRenames.Names(name) == 1)
        {
            File.WriteAllText(name, text);
        }
    }

    private void Rename(string what, string from, string to, Func<string, string, bool> way)
    {
        Note(what, from, to);
        if (!way(from, to))
        {
            _done[^1] += " (refused)";
        }
    }

    private static void Delete(string path, bool recursive)
    {
        if (new FileInfo(path).LinkTarget is null && Directory.Exists(path))
        {
            Directory.Delete(path, recursive);
        }
        else
        {
            File.Delete(path);
        }
    }

    /// <summary>A plain file without a second name: a write through another name cannot be seen.</summary>
    private string? OwnFile() => Any(root) is { } name && File.Exists(name) && FileRenames.Names(name) == 1 ? name : null;

    private string New(string folder)
    {
        string[] folders = [folder, .. Directory.GetDirectories(folder, "*", SearchOption.AllDirectories)];
        return Path.Combine(folders[random.Next(folders.Length)], $"{(char)('a' + random.Next(6))}");
    }

    private string? Any(string folder)
    {
        string[] all = Directory.GetFileSystemEntries(folder, "*", SearchOption.AllDirectories);
        return all.Length == 0 ? null : all[random.Next(all.Length)];
    }
}
