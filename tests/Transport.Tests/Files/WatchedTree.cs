using Cocaine.Fast.Transport.Files;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Tests.Loop;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Transport.Tests.Files;

/// <summary>A real folder, a watcher on a loop of its own, and a mirror of what it tells.</summary>
internal sealed class WatchedTree : IDisposable
{
    /// <summary>A file system that makes files faster than most disks do: the harder test of who must keep up with them.</summary>
    private const string SharedMemory = "/dev/shm";

    private readonly EventLoop _loop = new(NullLogger.Instance);

    public WatchedTree(bool recursive = true, string watched = "watched", bool make = true, bool reportExisting = false, int maxWaiting = 100_000,
        Func<TreeOptions, TreeOptions>? change = null, bool inMemory = false)
    {
        Folder = inMemory && Directory.Exists(SharedMemory)
            ? Directory.CreateDirectory(System.IO.Path.Combine(SharedMemory, $"tree-{Guid.NewGuid():N}")).FullName
            : Directory.CreateTempSubdirectory("tree-").FullName;
        Path = System.IO.Path.Combine(Folder, watched);
        if (make)
        {
            Directory.CreateDirectory(Path);
        }

        Mirror = new TreeMirror(maxWaiting);
        TreeOptions options = new(Path, recursive, reportExisting) { PollMs = 100 };
        Watcher = new TreeWatcher(_loop, change is null ? options : change(options), Mirror, NullLogger.Instance);
    }

    /// <summary>The folder in which the watched path is.</summary>
    public string Folder { get; }

    public string Path { get; }

    public TreeWatcher Watcher { get; }

    public TreeMirror Mirror { get; }

    /// <summary>Starts to watch; what is there is known to the mirror.</summary>
    public WatchedTree Start(bool known = true)
    {
        if (known)
        {
            Mirror.Names.UnionWith(OnDisk());
        }

        _loop.Start("files");
        OnLoop(Watcher.Start);
        return this;
    }

    public string At(string name) => System.IO.Path.Combine(Path, name);

    public void OnLoop(Action action) => OnLoopThread.Run(_loop, action);

    /// <summary>Takes what the watcher has told so far.</summary>
    public void Take() => OnLoop(() =>
    {
        Mirror.Take();
        Watcher.Resume();
    });

    /// <summary>Takes until the condition holds; each look is a turn of the loop.</summary>
    public void TakeUntil(Func<bool> condition, Func<string> otherwise)
    {
        long limit = Environment.TickCount64 + 120_000;
        while (true)
        {
            Take();
            if (condition())
            {
                return;
            }

            Assert.True(Environment.TickCount64 < limit, otherwise());
            Thread.Yield();
        }
    }

    /// <summary>
    /// Takes until the mirror shows what is on the disk. The watched path itself, whose name is empty, is none of what is in it: it is
    /// heard of when it was seen to be away.
    /// </summary>
    public void TakeUntilSame() => TakeUntil(
        () => Below().SetEquals(OnDisk()),
        () => $"unheard: {string.Join(' ', OnDisk().Except(Below()).Take(20))}; gone: {string.Join(' ', Below().Except(OnDisk()).Take(20))}");

    private HashSet<string> Below() => [.. Mirror.Names.Where(name => name.Length > 0)];

    public void TakeUntilHeard(params string[] names) => TakeUntil(
        () => Mirror.Heard.IsSupersetOf(names), () => $"heard only {string.Join(' ', Mirror.Heard)}");

    public void Dispose()
    {
        OnLoop(Watcher.Dispose);
        _loop.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private SortedSet<string> OnDisk()
    {
        SortedSet<string> names = new(StringComparer.Ordinal);
        if (Directory.Exists(Path))
        {
            EnumerationOptions all = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None };
            names.UnionWith(Directory.EnumerateFileSystemEntries(Path, "*", all).Select(one => System.IO.Path.GetRelativePath(Path, one)));
        }

        return names;
    }
}
