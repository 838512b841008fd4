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

    /// <summary>The driver's entry for manifests.</summary>
    public static DriverEntry Entry { get; } = new(
        "filesystem-monitor",
        [
            new("path", KeyKind.AbsolutePath, "what is watched", "required"),
            new("recursive", KeyKind.Boolean, "folders below the path too", "false"),
            new("events", KeyKind.TextList, "what is reported", "all") { Choices = AllEvents, DefaultList = AllEvents },
            new(
                "settle", KeyKind.Milliseconds,
                "quiet time that ends a burst, ms; a burst that does not end is delivered after ten such times, 1 s at least", "50"),
            new("on-start", KeyKind.Boolean, "files that exist at the start count as created", "false"),
            ManifestKeys.RunOn("all"),
        ],
        static context => new FileSystemMonitor(context));

    /// <summary>
    /// The most waiting changes: two jobs' worth. From then on the kernel keeps changes up to its own bound, and then the whole tree is
    /// looked at again.
    /// </summary>
    private const int MaxWaiting = 2 * BurstEncoder.MaxChanges;

    /// <summary>A burst that does not settle is delivered after so many times <c>settle</c>, and not before the least time.</summary>
    private const int MaxSettles = 10, MinBurstMs = 1000;

    /// <summary>
    /// Pause after the engine refused a burst; the pause doubles up to the longest. When a job of this driver ends, the driver tries at
    /// once.
    /// </summary>
    private const int FirstRetryMs = 50, MaxRetryMs = 2000;

    private readonly DriverContext _context;
    private readonly string _path;
    private readonly int _settleMs;
    private readonly long _maxBurstMs;
    private readonly Burst _burst = new(MaxWaiting);
    private readonly BurstCaller _caller;
    private readonly DeliveryTimer _timer;
    private TreeWatcher? _watcher;      // from Open to StopTaking
    private BurstEncoder? _encoder;     // from Open to StopTaking
    private long _firstMs;              // when the burst began; valid while it has changes
    private long _lastMs;               // time of the burst's last change; valid while it has changes
    private long _retryMs;              // pause before the next try; 0 when the engine took the last burst
    private long _delivered;

    public FileSystemMonitor(DriverContext context)
    {
        _context = context;
        _path = Plain(context.Task.GetText("path"));
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
            Deliver(); // events are delivered even when they came a few ms ago
            _context.Loop.Timers.Cancel(_timer);
            _watcher = null;
            watcher.Dispose();
        }
    }

    /// <summary>
    /// The driver first takes the events that the kernel has by now: the next driver did not watch yet when they happened.
    /// </summary>
    public override void HandOff()
    {
        _watcher?.OnReady(Epoll.In);
        Deliver();
        if (_burst.Count > 0 && _context.Successor is { } next)
        {
            _context.SwitchTo(next, _context.Publisher); // the old version has no room for the jobs
        }

        StopTaking();
    }

    public override void Close() => StopTaking();

    /// <summary>
    /// The path without empty parts and without <c>.</c>. A <c>..</c> stays: behind a link it leads to another folder than the text
    /// suggests, and only the kernel knows to which.
    /// </summary>
    private static string Plain(string path) =>
        "/" + string.Join('/', path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(part => part != "."));

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

    /// <summary>Makes jobs of all waiting changes. Changes that the engine does not take are kept, and merged with later ones.</summary>
    /// <remarks>Changes for which another node of the cluster makes the jobs are dropped.</remarks>
    private void Deliver()
    {
        while (_burst.Count > 0 && _watcher is { } watcher)
        {
            ReadOnlySpan<byte> request = _encoder!.Encode(_burst, out int changes, out int events);
            if (events > 0 && !_context.IsElsewhere && !_caller.TrySubmit(request, publishRefusal: false))
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
        "{App}/{Task}: {Count} changes wait, because the app takes no job now; they are merged with later ones and delivered "
        + "when the app takes jobs again")]
    public static partial void Refused(ILogger log, string app, string task, int count);
}
