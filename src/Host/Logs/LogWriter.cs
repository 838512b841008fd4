using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Logs;

/// <summary>
/// Writes entries to a stream from a thread of its own. Callers never wait, because an event loop must not stop when a pager does. Entries
/// that come faster than the stream takes them are dropped and counted, and the count becomes an entry too.
/// </summary>
/// <remarks>
/// The lock guards the queue and the count. It is held for the moment of an enqueue or of taking a batch; formatting and writing happen
/// outside of it.
/// </remarks>
internal sealed class LogWriter : IDisposable
{
    /// <summary>The number of the event that reports missing entries.</summary>
    public const int DroppedEvent = 690;

    /// <summary>
    /// The most text that may wait, by its size in memory: about a second of the longest lines that a worker can print as fast as a loop
    /// reads them. The heap takes several times as much before it is collected.
    /// </summary>
    private const long MaxWaitingBytes = 16 << 20;

    /// <summary>
    /// The most entries of one write: enough that a system call costs little beside them, and few beside the waiting ones.
    /// </summary>
    private const int MaxBatch = 64;

    /// <summary>Least time between two counts of dropped entries, unless no entry waits any more.</summary>
    private const int DroppedPeriodMs = 1000;

    /// <summary>How long the end waits for entries that are still to be written; after that time nobody reads them.</summary>
    private static readonly TimeSpan EndLimit = TimeSpan.FromMilliseconds(1500);

    private readonly Stream _stream;
    private readonly ILogFormat _format;
    private readonly Thread _thread;
    private readonly object _lock = new();
    private readonly Queue<LogEntry> _waiting = new();
    private long _waitingBytes;
    private long _dropped;        // since the last entry that tells of them
    private long _lost;
    private bool _ended;

    public LogWriter(Stream stream, ILogFormat format)
    {
        _stream = stream;
        _format = format;
        _thread = new Thread(Run) { Name = "log", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Entries that were not written, since the start.</summary>
    public long Lost
    {
        get
        {
            lock (_lock)
            {
                return _lost;
            }
        }
    }

    /// <summary>Adds an entry, or counts it when too much waits.</summary>
    public void Add(in LogEntry entry)
    {
        long size = entry.SizeBytes;
        lock (_lock)
        {
            if (_ended || _waitingBytes + size > MaxWaitingBytes)
            {
                _dropped++;
                _lost++;
                return;
            }

            _waiting.Enqueue(entry);
            _waitingBytes += size;
            if (_waiting.Count == 1)
            {
                Monitor.Pulse(_lock); // the other half is the wait in Take
            }
        }
    }

    /// <summary>Writes the waiting entries, unless the stream is stuck.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _ended = true;
            Monitor.Pulse(_lock);
        }

        _thread.Join(EndLimit);
    }

    private void Run()
    {
        LogEntry[] batch = new LogEntry[MaxBatch];
        StringBuilder text = new();
        long toldMs = Environment.TickCount64 - DroppedPeriodMs;
        while (true)
        {
            int count = Take(batch, out bool isLast, out long dropped, toldMs);
            for (int i = 0; i < count; i++)
            {
                _format.Append(text, in batch[i]);
            }

            Array.Clear(batch, 0, count); // their texts may be long
            if (dropped > 0)
            {
                toldMs = Environment.TickCount64;
                _format.Append(text, Dropped(dropped));
            }

            if (text.Length > 0 && !TryWrite(text))
            {
                lock (_lock)
                {
                    _dropped += count + dropped;
                    _lost += count;
                }
            }

            text.Clear();
            if (isLast)
            {
                return;
            }
        }
    }

    private int Take(LogEntry[] batch, out bool isLast, out long dropped, long toldMs)
    {
        lock (_lock)
        {
            while (_waiting.Count == 0 && !_ended)
            {
                Monitor.Wait(_lock);
            }

            int count = Math.Min(batch.Length, _waiting.Count);
            for (int i = 0; i < count; i++)
            {
                batch[i] = _waiting.Dequeue();
                _waitingBytes -= batch[i].SizeBytes;
            }

            isLast = _ended && _waiting.Count == 0;
            bool tells = _waiting.Count == 0 || Environment.TickCount64 - toldMs >= DroppedPeriodMs;
            dropped = tells ? _dropped : 0;
            _dropped -= dropped;
            return count;
        }
    }

    private bool TryWrite(StringBuilder text)
    {
        try
        {
            _stream.Write(Encoding.UTF8.GetBytes(text.ToString()));
            _stream.Flush();
            return true;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            return false; // a full disk, or a reader that is gone: further entries are lost, and the node continues
        }
    }

    private static LogEntry Dropped(long count) => new(
        DateTime.UtcNow, LogLevel.Warning, "log", new EventId(DroppedEvent, "Dropped"),
        $"{count.ToString(CultureInfo.InvariantCulture)} lines are missing here: standard error did not take them as fast as they came. "
        + "Have what reads it keep up, let the app print less, or log less with the level of the log",
        [new("Count", count)], null);
}
