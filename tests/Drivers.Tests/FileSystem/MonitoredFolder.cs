using Cocaine.Fast.Drivers.FileSystem;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Files;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Drivers.Tests.FileSystem;

/// <summary>A real folder, the watcher and the burst of a filesystem-monitor on a loop of their own, and a mirror of the changes.</summary>
internal sealed class MonitoredFolder : IDisposable
{
    private readonly EventLoop _loop = new(NullLogger.Instance);
    private readonly string _folder = Directory.CreateTempSubdirectory("monitored-").FullName;
    private readonly Burst _burst = new(100_000);
    private readonly ToldChanges _told;
    private readonly TreeWatcher _watcher;
    private readonly ContentMirror _mirror;

    public MonitoredFolder(bool recursive = true)
    {
        Directory.CreateDirectory(Path);
        Directory.CreateDirectory(Elsewhere);
        _mirror = new ContentMirror(Path);
        _told = new ToldChanges(_burst);
        _watcher = new TreeWatcher(_loop, new TreeOptions(Path, recursive, ReportExisting: false), _told, NullLogger.Instance);
    }

    public string Path => System.IO.Path.Combine(_folder, "watched");

    /// <summary>A folder beside the watched one, for moves in and out.</summary>
    public string Elsewhere => System.IO.Path.Combine(_folder, "elsewhere");

    /// <summary>What the watcher has told last.</summary>
    public string Told => _told.Last;

    public string At(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Starts to watch; what is there is known to the mirror.</summary>
    public MonitoredFolder Start()
    {
        _mirror.Learn();
        _loop.Start("files");
        OnLoop(_watcher.Start);
        return this;
    }

    /// <summary>Reads some of the kernel's events: the changes wait in the burst.</summary>
    public void Hear() => OnLoop(() => _watcher.OnReady(Epoll.In));

    /// <summary>Does something before the watcher reads any of its events.</summary>
    public void DoUnheard(Action what)
    {
        OnLoop(() => _told.IsHeld = true);
        what();
        OnLoop(() => _told.IsHeld = false);
        Deliver();
    }

    /// <summary>Delivers what waits in the burst.</summary>
    public void Deliver() => OnLoop(() =>
    {
        _mirror.Take(_burst, _watcher);
        _watcher.Resume();
    });

    /// <summary>Delivers until the mirror shows what is on the disk.</summary>
    public void DeliverUntilSame()
    {
        SortedDictionary<string, string> disk = ContentMirror.OnDisk(Path);
        long limit = Environment.TickCount64 + 3_000;
        while (true)
        {
            Deliver();
            if (_mirror.Equals(disk))
            {
                return;
            }

            Assert.True(Environment.TickCount64 < limit, _mirror.Difference(disk));
            Thread.Yield();
        }
    }

    public void Dispose()
    {
        OnLoop(_watcher.Dispose);
        _loop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void OnLoop(Action action) => _loop.RunAsync(action).WaitAsync(TimeSpan.FromSeconds(30)).GetAwaiter().GetResult();
}
