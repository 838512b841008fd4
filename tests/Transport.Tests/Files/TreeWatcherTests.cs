using Cocaine.Fast.Transport.Files;
using Xunit.Abstractions;

namespace Cocaine.Fast.Transport.Tests.Files;

/// <summary>The watcher on a real file system.</summary>
public class TreeWatcherTests(ITestOutputHelper output)
{
    [Fact]
    public void Who_hears_of_all_changes_knows_what_is_there_whatever_was_done()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("COCAINE_FUZZ_SEED"), out int given) ? given : Environment.TickCount;
        output.WriteLine($"COCAINE_FUZZ_SEED={seed}");
        Random random = new(seed);
        for (int round = 0; round < 8; round++)
        {
            using WatchedTree tree = new();
            RandomFiles files = new(tree.Path, Path.Combine(tree.Folder, "elsewhere"), random);
            files.Do(30);
            tree.Start();
            for (int i = 0; i < 10; i++)
            {
                files.Do(random.Next(1, 80));
                if (random.Next(3) > 0)
                {
                    tree.Take();
                }
            }

            tree.TakeUntilSame();
        }
    }

    [Fact]
    public async Task A_hundred_thousand_files_made_in_a_burst_are_all_reported_in_bounded_memory()
    {
        const int Count = 100_000, PerFolder = 10_000, MaxWaiting = 5000;
        using WatchedTree tree = new(maxWaiting: MaxWaiting, inMemory: true);
        tree.Start();
        Task making = Task.Run(() =>
        {
            for (int i = 0; i < Count; i++)
            {
                string folder = tree.At($"{i / PerFolder}");
                if (i % PerFolder == 0)
                {
                    Directory.CreateDirectory(folder);
                }

                File.WriteAllBytes(Path.Combine(folder, $"{i % PerFolder}"), []);
            }
        });
        int most = 0;
        tree.TakeUntil(
            () =>
            {
                most = Math.Max(most, tree.Mirror.Waiting);
                return making.IsCompleted && tree.Mirror.Names.Count == Count + (Count / PerFolder);
            },
            () => $"{tree.Mirror.Names.Count} names, {tree.Watcher.Events} events, {tree.Watcher.Overflows} overflows");
        output.WriteLine($"{tree.Watcher.Events} events, {tree.Watcher.Overflows} overflows");
        await making;
        Assert.Equal(Count + (Count / PerFolder), tree.Mirror.Heard.Count);
        Assert.InRange(most, 0, MaxWaiting + 4096);
        Assert.InRange(tree.Watcher.Entries, Count, Count + (Count / PerFolder));
    }

    [Fact]
    public void What_the_kernel_lost_is_found()
    {
        using WatchedTree tree = new(maxWaiting: 1);
        Directory.CreateDirectory(tree.At("old/below"));
        File.WriteAllText(tree.At("old/below/file"), "");
        File.WriteAllText(tree.At("stays"), "before");
        File.WriteAllText(tree.At("goes"), "");
        tree.Start();
        File.WriteAllText(tree.At("first"), ""); // the burst is full: the kernel keeps the rest, until it cannot
        for (int i = 0; tree.Watcher.Overflows == 0 && i < 400_000; i++)
        {
            File.WriteAllText(tree.At("many"), "");
            if (i == 20_000)
            {
                Directory.Move(tree.At("old"), tree.At("new"));
                File.WriteAllText(tree.At("new/below/another"), "");
                File.WriteAllText(tree.At("stays"), "and after");
                File.Delete(tree.At("goes"));
            }

            if (i > 40_000)
            {
                tree.Take();
            }
        }

        Assert.NotEqual(0, tree.Watcher.Overflows);
        tree.TakeUntilSame();
        tree.TakeUntilHeard("stays", "goes", "new/below/another", "new/below/file");
        File.WriteAllText(tree.At("new/below/later"), ""); // its watch has the new name
        tree.TakeUntilHeard("new/below/later");
    }

    [Fact]
    public void What_is_in_a_folder_before_its_watch_is_found()
    {
        using WatchedTree tree = new();
        tree.Start();
        for (int i = 0; i < 100; i++)
        {
            Directory.CreateDirectory(tree.At($"{i}/a/b/c"));
            File.WriteAllText(tree.At($"{i}/a/b/c/file"), "");
            File.WriteAllText(tree.At($"{i}/a/file"), "");
        }

        tree.TakeUntilSame();
        Assert.Equal(100 * 6, tree.Mirror.Heard.Count);
    }

    [Fact]
    public void Without_recursive_only_the_folder_itself_is_watched()
    {
        using WatchedTree tree = new(recursive: false);
        tree.Start();
        Directory.CreateDirectory(tree.At("below"));
        File.WriteAllText(tree.At("below/file"), "");
        File.WriteAllText(tree.At("file"), "");
        tree.TakeUntilHeard("below", "file");
        Assert.DoesNotContain("below/file", tree.Mirror.Heard);
        Assert.Equal(1, tree.Watcher.Folders);
    }

    [Fact]
    public void A_path_that_is_not_there_yet_is_waited_for_and_may_go_and_come()
    {
        using WatchedTree tree = new(watched: "a/b/watched", make: false);
        tree.Start();
        Assert.Equal(RootKind.Missing, tree.Watcher.Kind);
        Directory.CreateDirectory(tree.Path);
        File.WriteAllText(tree.At("one"), "");
        tree.TakeUntilHeard("", "one");
        Directory.Delete(Path.Combine(tree.Folder, "a"), recursive: true);
        tree.TakeUntil(() => tree.Mirror.Names.Count == 0, () => string.Join(' ', tree.Mirror.Names));
        Directory.CreateDirectory(tree.Path);
        File.WriteAllText(tree.At("two"), "");
        tree.TakeUntilHeard("two");

        Directory.Move(Path.Combine(tree.Folder, "a"), Path.Combine(tree.Folder, "away")); // a folder above it
        tree.TakeUntil(() => tree.Mirror.Names.Count == 0, () => string.Join(' ', tree.Mirror.Names));
        Directory.Move(Path.Combine(tree.Folder, "away"), Path.Combine(tree.Folder, "a"));
        tree.TakeUntil(() => tree.Mirror.Names.Contains("two"), () => string.Join(' ', tree.Mirror.Names));
        File.WriteAllText(tree.At("three"), "");
        tree.TakeUntilHeard("three");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_folder_that_is_replaced_by_another_is_compared_with_it(bool isSeenAway)
    {
        using WatchedTree tree = new();
        Directory.CreateDirectory(tree.At("below"));
        File.WriteAllText(tree.At("below/same"), "");
        File.WriteAllText(tree.At("old"), "");
        tree.Start();
        string next = Path.Combine(tree.Folder, "next");
        Directory.CreateDirectory(Path.Combine(next, "below"));
        File.WriteAllText(Path.Combine(next, "below/same"), "other");
        File.WriteAllText(Path.Combine(next, "new"), "");
        Directory.Move(tree.Path, Path.Combine(tree.Folder, "old"));
        if (isSeenAway)
        {
            tree.TakeUntil(() => tree.Mirror.Names.Count == 0, () => string.Join(' ', tree.Mirror.Names));
        }

        Directory.Move(next, tree.Path);
        tree.TakeUntilSame();
        tree.TakeUntilHeard("below/same", "old", "new");
        File.WriteAllText(Path.Combine(tree.Folder, "old/stranger"), "");
        File.WriteAllText(tree.At("below/late"), "");
        tree.TakeUntilHeard("below/late");
        Assert.DoesNotContain("stranger", tree.Mirror.Heard);
    }

    [Fact]
    public void A_file_is_watched_through_saves_by_rename_and_rotations()
    {
        using WatchedTree tree = new(make: false);
        File.WriteAllText(tree.Path, "one");
        tree.Start();
        Assert.Equal(RootKind.File, tree.Watcher.Kind);
        HearAfter(tree, ChangeKind.Modified, () => File.AppendAllText(tree.Path, "two"));
        HearAfter(tree, ChangeKind.Modified, () =>
        {
            File.WriteAllText(tree.Path + ".tmp", "three");
            File.Move(tree.Path + ".tmp", tree.Path, overwrite: true);
        });
        HearAfter(tree, ChangeKind.Modified, () => File.AppendAllText(tree.Path, "four"));
        HearAfter(tree, ChangeKind.Deleted, () => File.Move(tree.Path, tree.Path + ".1"));
        HearAfter(tree, ChangeKind.Created, () => File.WriteAllText(tree.Path, "five"));
        Assert.Equal([""], tree.Mirror.Heard);
    }

    [Fact]
    public void Symbolic_links_are_names_and_not_followed()
    {
        using WatchedTree tree = new();
        tree.Start();
        string outside = Path.Combine(tree.Folder, "outside");
        Directory.CreateDirectory(outside);
        File.CreateSymbolicLink(tree.At("link"), outside);
        File.CreateSymbolicLink(tree.At("loop"), tree.Path);
        tree.TakeUntilHeard("link", "loop");
        File.WriteAllText(Path.Combine(outside, "file"), "");
        File.WriteAllText(tree.At("last"), "");
        tree.TakeUntilHeard("last");
        Assert.Equal(["last", "link", "loop"], tree.Mirror.Heard.Order());
        Assert.Equal(1, tree.Watcher.Folders);
    }

    [Fact]
    public async Task A_path_that_is_a_link_follows_it_to_where_it_is_set()
    {
        using WatchedTree tree = new(watched: "current", make: false);
        Directory.CreateDirectory(Path.Combine(tree.Folder, "1"));
        Directory.CreateDirectory(Path.Combine(tree.Folder, "2"));
        File.WriteAllText(Path.Combine(tree.Folder, "2/two"), "");
        File.CreateSymbolicLink(tree.Path, "1");
        tree.Start();
        File.WriteAllText(tree.At("one"), "");
        tree.TakeUntilHeard("one");
        Assert.True(await RunAsync("ln", "-sfn", "2", tree.Path));
        tree.TakeUntil(() => tree.Mirror.Names.SetEquals(["two"]), () => string.Join(' ', tree.Mirror.Names));
    }

    /// <summary>As deployments do it: of `current` the kernel tells nobody who watches what is below it.</summary>
    [Fact]
    public async Task A_link_among_the_folders_above_is_followed_to_where_it_is_set()
    {
        using WatchedTree tree = new(watched: "current/in", make: false);
        Directory.CreateDirectory(Path.Combine(tree.Folder, "1/in"));
        Directory.CreateDirectory(Path.Combine(tree.Folder, "2/in"));
        File.WriteAllText(Path.Combine(tree.Folder, "2/in/two"), "");
        File.CreateSymbolicLink(Path.Combine(tree.Folder, "current"), "1");
        tree.Start();
        File.WriteAllText(tree.At("one"), "");
        tree.TakeUntilHeard("one");
        Assert.True(await RunAsync("ln", "-sfn", "2", Path.Combine(tree.Folder, "current")));
        tree.TakeUntil(() => tree.Mirror.Names.SetEquals(["two"]), () => string.Join(' ', tree.Mirror.Names));
        File.WriteAllText(Path.Combine(tree.Folder, "1/in/stranger"), "");
        File.WriteAllText(tree.At("three"), "");
        tree.TakeUntilHeard("three");
        Assert.DoesNotContain("stranger", tree.Mirror.Heard);
    }

    [RootFact]
    public async Task A_file_system_that_is_mounted_over_the_path_is_noticed_and_so_is_its_end()
    {
        using WatchedTree tree = new();
        File.WriteAllText(tree.At("below"), "");
        tree.Start();
        if (!await RunAsync("mount", "-t", "tmpfs", "none", tree.Path))
        {
            return; // a container that may not mount
        }

        try
        {
            File.WriteAllText(tree.At("inside"), "");
            tree.TakeUntil(() => tree.Mirror.Names.SetEquals(["inside"]), () => string.Join(' ', tree.Mirror.Names));
            File.WriteAllText(tree.At("late"), "");
            tree.TakeUntilHeard("late");
        }
        finally
        {
            Assert.True(await RunAsync("umount", "-l", tree.Path));
        }

        tree.TakeUntil(() => tree.Mirror.Names.SetEquals(["below"]), () => string.Join(' ', tree.Mirror.Names));
    }

    private static async Task<bool> RunAsync(string program, params string[] words)
    {
        using System.Diagnostics.Process process = System.Diagnostics.Process.Start(program, words);
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        return process.ExitCode == 0;
    }

    [Fact]
    public void Over_the_limit_of_watches_folders_are_looked_at_now_and_then()
    {
        using WatchedTree tree = new(change: options => options with { MaxWatches = 3 });
        tree.Start();
        for (int i = 0; i < 6; i++)
        {
            Directory.CreateDirectory(tree.At($"{i}"));
        }

        tree.TakeUntilSame();
        Assert.Equal((3, 4), (tree.Watcher.Folders, tree.Watcher.Unwatched));
        for (int i = 0; i < 6; i++)
        {
            Directory.CreateDirectory(tree.At($"{i}/below"));
            File.WriteAllText(tree.At($"{i}/below/file"), "");
        }

        tree.TakeUntilSame();
        File.Delete(tree.At("5/below/file"));
        Directory.Delete(tree.At("0"), recursive: true);
        Directory.Delete(tree.At("1"), recursive: true);
        tree.TakeUntilSame();
        using WatchedTree other = new(change: options => options with { MaxWatches = 3 });
        Directory.CreateDirectory(other.At("a/b/c"));
        IOException failure = Assert.Throws<IOException>(() => other.Start());
        Assert.Contains("fs.inotify.max_user_watches", failure.Message);
    }

    [Fact]
    public void Of_names_beyond_what_is_remembered_a_rescan_reports_all()
    {
        using WatchedTree tree = new(maxWaiting: 5, change: options => options with { MaxEntries = 10 });
        for (int i = 0; i < 30; i++)
        {
            File.WriteAllText(tree.At($"{i}"), "");
        }

        tree.Start();
        Assert.Equal(10, tree.Watcher.Entries);
        string away = Path.Combine(tree.Folder, "away");
        Directory.Move(tree.Path, away);
        tree.TakeUntil(() => tree.Watcher.Kind == RootKind.Missing, () => "it is there");
        Directory.Move(away, tree.Path);
        tree.TakeUntilHeard([.. Enumerable.Range(0, 30).Select(i => $"{i}")]);
        Assert.Equal(10, tree.Watcher.Entries);
        File.WriteAllText(tree.At("31"), "");
        tree.TakeUntilHeard("31");
    }

    private static void HearAfter(WatchedTree tree, ChangeKind kind, Action action)
    {
        tree.Take();
        action();
        HashSet<ChangeKind> heard = [];
        long limit = Environment.TickCount64 + 20_000;
        while (!heard.Contains(kind))
        {
            tree.OnLoop(() => heard.UnionWith(tree.Mirror.Take()));
            Assert.True(Environment.TickCount64 < limit, $"heard {string.Join(", ", heard)}, not {kind}");
        }
    }
}

/// <summary>Does things to files at random: in one folder, and between it and another.</summary>
internal sealed class RandomFiles
{
    private readonly string _root;
    private readonly string _elsewhere;
    private readonly Random _random;

    public RandomFiles(string root, string elsewhere, Random random)
    {
        _root = root;
        _elsewhere = elsewhere;
        _random = random;
        Directory.CreateDirectory(elsewhere);
    }

    public void Do(int count)
    {
        for (int i = 0; i < count; i++)
        {
            try
            {
                DoOne();
            }
            catch (IOException)
            {
                // Into itself, onto a folder with content, …: the file system says no, and that is an answer too.
            }
            catch (UnauthorizedAccessException)
            {
                // A file where a folder is.
            }
        }
    }

    private void DoOne()
    {
        switch (_random.Next(12))
        {
            case < 3:
                File.WriteAllText(New(_root), "x");
                break;
            case 3:
                File.AppendAllText(Any(_root) ?? New(_root), "y");
                break;
            case 4:
                Directory.CreateDirectory(Path.Combine(New(_root), "p", "q"));
                break;
            case 5:
                Directory.CreateDirectory(New(_root));
                break;
            case 6 or 7:
                Move(Any(_root), New(_root));
                break;
            case 8:
                Move(Any(_root), Any(_root));
                break;
            case 9:
                Move(Any(_root), New(_elsewhere));
                break;
            case 10:
                Move(Any(_elsewhere), New(_root));
                break;
            default:
                Delete(Any(_root));
                break;
        }
    }

    private static void Move(string? from, string? to)
    {
        if (from is null || to is null)
        {
            return;
        }

        if (Directory.Exists(from))
        {
            Directory.Move(from, to);
        }
        else
        {
            File.Move(from, to, overwrite: true);
        }
    }

    private static void Delete(string? path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else if (path is not null)
        {
            File.Delete(path);
        }
    }

    private string New(string root)
    {
        string[] folders = [root, .. Directory.GetDirectories(root, "*", SearchOption.AllDirectories)];
        return Path.Combine(folders[_random.Next(folders.Length)], $"{(char)('a' + _random.Next(8))}");
    }

    private string? Any(string root)
    {
        string[] all = Directory.GetFileSystemEntries(root, "*", SearchOption.AllDirectories);
        return all.Length == 0 ? null : all[_random.Next(all.Length)];
    }
}
