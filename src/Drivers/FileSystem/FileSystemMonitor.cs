using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.Publishing;
using Cocaine.Fast.Transport.Files;
using Cocaine.Fast.Transport.Linux;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.FileSystem;

/// <summary>The filesystem-monitor driver: a job for each burst of changes below a path.</summary>
internal sealed class FileSystemMonitor : Driver
{
    private static readonly string[] AllEvents = ["created", "modified", "deleted", "moved"];

    /// <summary>As manifests name it.</summary>
    public static DriverEntry Entry { get; } = new(
        "filesystem-monitor",
        [
            new("path", KeyKind.AbsolutePath, "what is watched", "required"),
            new("recursive", KeyKind.Boolean, "folders below it too", "false"),
            new("events", KeyKind.TextList, "what is reported", "all") { Choices = AllEvents, DefaultList = AllEvents },
            new(
                "settle", KeyKind.Milliseconds,
                "quiet time that ends a burst, ms; one that does not end is delivered after ten of them, 1 s at the least", "50"),
            new("on-start", KeyKind.Boolean, "what is there at the start counts as created", "false"),
        ],
        static context => new FileSystemMonitor(context));

    /// <summary>
    /// Changes that wait: two jobs' worth. From then on the kernel keeps them, up to its own bound, and then the tree is looked at anew.
    /// </summary>
    private const int MaxWaiting = 2 * BurstEncoder.MaxChanges;

    /// <summary>A burst that does not settle is delivered after so many times <c>settle</c>, and not before the least.</summary>
    private const int MaxSettles = 10, MinBurstMs = 1000;

    /// <summary>Pause after the engine refused a burst; doubled up to the longest. A job of its own that ends is a try at once.</summary>
    private const int FirstRetryMs = 50, MaxRetryMs = 2000;

    private readonly DriverContext _context;
    private readonly string _path;
    private readonly int _settleMs;
    private readonly long _maxBurstMs;
    private readonly Burst _burst = new(MaxWaiting);
    private readonly BurstCaller _caller;
    private readonly DeliveryTimer _timer;
    private TreeWatcher? _watcher;      // from Open to StopTaking
    private BurstEncoder? _encoder;     // the same
    private long _firstMs;              // when the burst began; valid while it has changes
    private long _lastMs;               // when its last change came; the same
    private long _retryMs;              // pause before the next try; 0 when the last was taken
    private long _delivered;

    public FileSystemMonitor(DriverContext context)
    {
        _context = context;
        _path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(context.Task.GetText("path")));
        _settleMs = context.Task.GetInt("settle");
        _maxBurstMs = Math.Max(MinBurstMs, (long)MaxSettles * _settleMs);
        _caller = new BurstCaller(this);
        _timer = new DeliveryTimer(this);
        _burst.OnChange = OnChange;
    }

    public override TaskMonitor Monitor => _caller.Monitor;

    public override IReadOnlyDictionary<string, object> Facts => new Dictionary<string, object>
    {
        ["path"] = _path,
        ["is"] = _watcher?.Kind.ToString().ToLowerInvariant() ?? "closed",
        ["folders"] = _watcher?.Folders ?? 0,
        ["unwatched"] = _watcher?.Unwatched ?? 0,
        ["remembered"] = _watcher?.Entries ?? 0,
        ["scanning"] = _watcher?.IsScanning ?? false,
        ["events"] = _watcher?.Events ?? 0,
        ["overflows"] = _watcher?.Overflows ?? 0,
        ["waiting"] = _burst.Count,
        ["delivered"] = _delivered,
        ["refused"] = _caller.Dropped,
        ["pending"] = _caller.Pending,
    };

    public override void Open()
    {
        string given = _context.Task.GetText("path");
        if (!Path.IsPathRooted(given))
        {
            throw new IOException($"the path '{given}' is not absolute");
        }

        TreeOptions options = new(_path, _context.Task.GetBool("recursive"), _context.Task.GetBool("on-start"));
        TreeWatcher watcher = new(_context.Loop, options, _burst, _context.Log);
        try
        {
            _watcher = watcher;
            _encoder = new BurstEncoder(_path, _context.Task.Events, watcher);
            watcher.Start();
        }
        catch
        {
            _watcher = null;
            watcher.Dispose();
            throw;
        }
    }

    public override void StopTaking()
    {
        if (_watcher is { } watcher)
        {
            Deliver(); // what has come is not forgotten for being a few ms too young
            _context.Loop.Timers.Cancel(_timer);
            _watcher = null;
            watcher.Dispose();
        }
    }

    /// <summary>Events that the kernel has by now are taken first: the next driver did not watch yet when it happened.</summary>
    public override void HandOff()
    {
        _watcher?.OnReady(Epoll.In);
        Deliver();
        if (_burst.Count > 0 && _context.Successor is { } next)
        {
            _context.SwitchTo(next, _context.Publisher); // the old version has no room for them
        }

        StopTaking();
    }

    public override void Close() => StopTaking();

    private void OnChange()
    {
        _lastMs = _context.Loop.NowMs;
        if (_burst.Count == 1)
        {
            _firstMs = _lastMs;
        }

        if (!_timer.IsArmed)
        {
            _context.Loop.Timers.Arm(_timer, _lastMs + Math.Max(_settleMs, _retryMs));
        }
        else if (_burst.Count == BurstEncoder.MaxChanges && _retryMs == 0)
        {
            _context.Loop.Timers.Arm(_timer, _lastMs);
        }
    }

    private void OnDue(long nowMs)
    {
        long due = Math.Min(_lastMs + _settleMs, _firstMs + _maxBurstMs);
        if (nowMs < due && _burst.Count < BurstEncoder.MaxChanges)
        {
            _context.Loop.Timers.Arm(_timer, due);
            return;
        }

        Deliver();
    }

    /// <summary>Makes jobs of all that waits; what the engine does not take is kept, and merged with what comes.</summary>
    private void Deliver()
    {
        while (_burst.Count > 0 && _watcher is { } watcher)
        {
            ReadOnlySpan<byte> request = _encoder!.Encode(_burst, out int changes, out int events);
            if (events > 0 && !_caller.TrySubmit(request, publishRefusal: false))
            {
                _retryMs = Math.Clamp(_retryMs * 2, FirstRetryMs, MaxRetryMs);
                if (_retryMs == FirstRetryMs)
                {
                    FileSystemLog.Refused(_context.Log, _context.Engine.Name, _context.Task.Name, _burst.Count);
                }

                _context.Loop.Timers.Arm(_timer, _context.Loop.NowMs + _retryMs);
                return;
            }

            _delivered += events;
            for (; changes > 0; changes--)
            {
                _burst.RemoveFirst();
            }

            _retryMs = 0;
            watcher.Resume();
        }
    }

    private void OnJobEnded()
    {
        if (_retryMs > 0 && _burst.Count > 0)
        {
            _context.Loop.Timers.Arm(_timer, _context.Loop.NowMs);
        }
    }

    private sealed class BurstCaller(FileSystemMonitor monitor) : PublishingCaller(monitor._context)
    {
        public override void OnDone(Job job)
        {
            base.OnDone(job);
            monitor.OnJobEnded();
        }

        public override void OnFailed(Job job, in JobError error)
        {
            base.OnFailed(job, in error);
            monitor.OnJobEnded();
        }
    }

    private sealed class DeliveryTimer(FileSystemMonitor monitor) : WheelTimer
    {
        public override void OnDue(long nowMs) => monitor.OnDue(nowMs);
    }
}

internal static partial class FileSystemLog
{
    [LoggerMessage(360, LogLevel.Warning,
        "{App}/{Task}: {Count} changes wait, because the app takes no job now; they are merged with later ones and delivered when it does")]
    public static partial void Refused(ILogger log, string app, string task, int count);
}
