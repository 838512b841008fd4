using System.Numerics;
using Cocaine.Fast.Core.Sealing;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>
/// Opens sessions of sealed jobs on a thread of its own, because an opening takes 1.4 ms of the private key, and a loop has no such time.
/// The thread also looks at the folder of keys: a key that was taken out ends its sessions within 10 s. A node has one worker. Any thread.
/// </summary>
internal sealed class SealWorker : IDisposable
{
    /// <summary>Openings that wait: a third of a second of work. Their connections wait with them; more are refused.</summary>
    private const int MaxWaiting = 256;

    /// <summary>Time between two looks at the folder of keys.</summary>
    private const int LookMs = 10_000;

    /// <summary>The longest wait for the thread at the end: it is in an opening, or in the reading of 4,096 keys.</summary>
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(5);

    private readonly KeyFolder _folder;
    private readonly OpeningFile? _used;
    private readonly ILogger _log;
    private readonly TimeProvider _clock;
    private readonly Queue<OpeningWork> _waiting = new(); // guarded by itself
    private readonly AutoResetEvent _wanted = new(false);
    private readonly Thread _thread;
    private bool _opens;           // guarded by _waiting: the thread has an opening
    private string _seen;          // the folder at the last look; only the thread uses it
    private long _refused;         // only the thread uses it
    private volatile bool _looks;  // a look is wanted now
    private volatile bool _ends;

    private SealWorker(KeyFolder folder, string seen, KeyRing keys, OpeningFile? used, ILogger log, TimeProvider clock)
    {
        _used = used;
        _folder = folder;
        _seen = seen;
        _log = log;
        _clock = clock;
        OpeningMemory memory = used is null ? new OpeningMemory() : new OpeningMemory(used);
        Gate = new SealGate(keys, clock.GetUtcNow().ToUnixTimeSeconds(), memory);
        _thread = new Thread(Run) { Name = "seal", IsBackground = true };
    }

    /// <summary>The sessions and keys.</summary>
    public SealGate Gate { get; }

    /// <summary>Reads the keys and starts the thread.</summary>
    /// <param name="folder">The folder of keys.</param>
    /// <param name="used">The file that remembers used openings over a restart; null = nothing does.</param>
    /// <param name="log">Hears of changed keys and of refused openings.</param>
    /// <param name="clock">The time of day.</param>
    /// <exception cref="IOException">
    /// A key is not as it should be, there is none, or the file cannot be used; the text has each mistake.
    /// </exception>
    public static SealWorker Start(string folder, string? used, ILogger log, TimeProvider clock)
    {
        KeyFolder keys = KeyFolders.Of(folder);
        string seen = keys.Look();
        List<string> problems = [];
        KeyRing? ring = keys.Read(problems);
        if (ring is { Newest: null })
        {
            problems.Add($"{folder}/{KeyFolder.OwnFolder} has no key of the node: cocaine-fast keys new NODE --keys {folder}");
        }

        if (problems.Count > 0)
        {
            throw new IOException(string.Join("; ", problems));
        }

        SealWorker worker = new(keys, seen, ring!, used is null ? null : OpeningFile.Open(used), log, clock);
        worker._thread.Start();
        return worker;
    }

    /// <summary>Openings wait or are at work.</summary>
    public bool IsBusy
    {
        get
        {
            lock (_waiting)
            {
                return _opens || _waiting.Count > 0;
            }
        }
    }

    /// <summary>Takes an opening. False when too many wait.</summary>
    public bool TryOpen(OpeningWork work)
    {
        lock (_waiting)
        {
            if (_ends || _waiting.Count >= MaxWaiting)
            {
                return false;
            }

            _waiting.Enqueue(work);
        }

        _wanted.Set();
        return true;
    }

    /// <summary>Looks at the folder of keys soon.</summary>
    public void LookAtKeys()
    {
        _looks = true;
        _wanted.Set();
    }

    public void Dispose()
    {
        if (_ends)
        {
            return;
        }

        _ends = true;
        _wanted.Set();
        if (_thread.Join(EndPatience))
        {
            _wanted.Dispose();
            _used?.Dispose();
        }
    }

    private void Run()
    {
        long lookedMs = Environment.TickCount64;
        while (!_ends)
        {
            try
            {
                if (_looks || Environment.TickCount64 - lookedMs >= LookMs)
                {
                    _looks = false;
                    Look();
                    lookedMs = Environment.TickCount64;
                }

                if (Next() is { } work)
                {
                    work.Open(Gate, _clock);
                    CountRefused();
                }
                else
                {
                    _wanted.WaitOne(LookMs);
                }
            }
            catch (IOException fault)
            {
                SealLog.NotRemembered(_log, fault.Message);
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                SealLog.Failed(_log, fault);
            }
        }
    }

    private OpeningWork? Next()
    {
        lock (_waiting)
        {
            _opens = _waiting.TryDequeue(out OpeningWork? work);
            return work;
        }
    }

    private void CountRefused()
    {
        if (Gate.Refused != _refused)
        {
            _refused = Gate.Refused;
            if (BitOperations.IsPow2(_refused)) // a stranger does not fill the log
            {
                SealLog.Refused(_log, _refused);
            }
        }
    }

    private void Look()
    {
        string now = _folder.Look();
        if (now == _seen)
        {
            return;
        }

        _seen = now;
        List<string> problems = [];
        if (_folder.Read(problems) is { } ring)
        {
            Gate.Replace(ring);
            SealLog.Changed(_log, ring.Callers.Count, ring.Own.Count, Gate.Sessions);
        }
        else
        {
            SealLog.Bad(_log, string.Join("; ", problems));
        }
    }
}

internal static partial class SealLog
{
    [LoggerMessage(590, LogLevel.Information,
        "the keys of sealed jobs have changed: {Callers} of callers, {Own} own; {Sessions} sessions go on")]
    public static partial void Changed(ILogger log, int callers, int own, int sessions);

    [LoggerMessage(591, LogLevel.Error,
        "the keys of sealed jobs have changed, and those of before count until this is repaired: {Problems}")]
    public static partial void Bad(ILogger log, string problems);

    [LoggerMessage(592, LogLevel.Warning, "{Total} openings of sealed sessions were refused so far: see docs/security.md, \"Sealed jobs\"")]
    public static partial void Refused(ILogger log, long total);

    [LoggerMessage(593, LogLevel.Error, "an opening of a sealed session has failed by a fault of the node; please report this")]
    public static partial void Failed(ILogger log, Exception fault);

    [LoggerMessage(594, LogLevel.Error,
        "sealed sessions cannot be opened, because used openings cannot be written: {Fault}; make room on the disk of the state folder")]
    public static partial void NotRemembered(ILogger log, string fault);
}
