using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Cocaine.Fast.Node.Threading;

namespace Cocaine.Fast.Node.Journal;

/// <summary>
/// Keeps the newest items, and gives these and all new ones to any number of readers. A reader that does not keep up loses the oldest
/// items, and gets their number; nobody ever waits for a reader.
/// </summary>
/// <param name="maxItems">Items that are kept, and items that may wait for one reader.</param>
/// <param name="maxBytes">
/// Bytes of the items that are kept, and of the items that may wait for one reader, as <paramref name="sizeOf"/> counts them; one item is
/// always taken.
/// </param>
/// <param name="sizeOf">The size of an item.</param>
/// <param name="withLost">Makes an item that also has the number of items that a reader has lost right before it.</param>
internal sealed class Feed<T>(int maxItems, long maxBytes, Func<T, long> sizeOf, Func<T, long, T> withLost)
    where T : class
{
    private readonly Lock _lock = new(); // held only while a few references are copied
    private readonly Queue<T> _kept = new();
    private readonly List<Reader> _readers = [];
    private readonly int _maxItems = maxItems;
    private readonly long _maxBytes = maxBytes;
    private readonly Func<T, long> _sizeOf = sizeOf;
    private long _keptBytes;
    private bool _ended;

    /// <summary>Adds an item; from any thread.</summary>
    public void Add(T item)
    {
        lock (_lock)
        {
            _kept.Enqueue(item);
            _keptBytes += _sizeOf(item);
            while (_kept.Count > _maxItems || (_keptBytes > _maxBytes && _kept.Count > 1))
            {
                _keptBytes -= _sizeOf(_kept.Dequeue());
            }

            foreach (Reader reader in _readers)
            {
                reader.Offer(item);
            }
        }
    }

    /// <summary>No more items come: readers end when they have read the kept ones.</summary>
    public void End()
    {
        lock (_lock)
        {
            _ended = true;
            _readers.ForEach(reader => reader.End());
        }
    }

    /// <summary>True when a kept item matches.</summary>
    public bool Has(Predicate<T> isSuch)
    {
        lock (_lock)
        {
            return _kept.Any(item => isSuch(item));
        }
    }

    /// <summary>The kept items, and then new ones unless <paramref name="follow"/> is false.</summary>
    public async IAsyncEnumerable<T> ReadAsync(
        Predicate<T>? filter, bool follow, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        T[] kept;
        Reader? reader = null;
        lock (_lock)
        {
            kept = [.. _kept];
            if (follow && !_ended)
            {
                reader = new Reader(this, filter);
                _readers.Add(reader);
            }
        }

        try
        {
            foreach (T item in kept)
            {
                if (filter is null || filter(item))
                {
                    yield return item;
                }
            }

            while (reader is not null && await reader.WaitAsync(cancellation))
            {
                while (reader.TryTake(out T? item, out long lost))
                {
                    yield return lost > 0 ? withLost(item, lost) : item;
                }
            }
        }
        finally
        {
            if (reader is not null)
            {
                lock (_lock)
                {
                    _readers.Remove(reader);
                }
            }
        }
    }

    /// <summary>One reader's queue. The feed's lock protects its content.</summary>
    private sealed class Reader(Feed<T> feed, Predicate<T>? filter)
    {
        private readonly Queue<T> _waiting = new();
        private TaskCompletionSource? _woken; // set while the reader waits
        private long _waitingBytes;
        private long _lost;
        private bool _ended;

        /// <summary>Under the lock.</summary>
        public void Offer(T item)
        {
            if (filter is not null && !filter(item))
            {
                return;
            }

            _waiting.Enqueue(item);
            _waitingBytes += feed._sizeOf(item);
            while (_waiting.Count > feed._maxItems || (_waitingBytes > feed._maxBytes && _waiting.Count > 1))
            {
                _waitingBytes -= feed._sizeOf(_waiting.Dequeue());
                _lost++;
            }

            Wake();
        }

        /// <summary>Under the lock.</summary>
        public void End()
        {
            _ended = true;
            Wake();
        }

        /// <summary>Waits for an item; false when no more items come.</summary>
        public async ValueTask<bool> WaitAsync(CancellationToken cancellation)
        {
            while (true)
            {
                TaskCompletionSource woken;
                lock (feed._lock)
                {
                    if (_waiting.Count > 0 || _ended)
                    {
                        return _waiting.Count > 0;
                    }

                    _woken = woken = new TaskCompletionSource();
                }

                await woken.Task.WaitAsync(cancellation);
            }
        }

        /// <summary>All items that were lost by now are older than this one.</summary>
        public bool TryTake([NotNullWhen(true)] out T? item, out long lost)
        {
            lock (feed._lock)
            {
                lost = 0;
                if (!_waiting.TryDequeue(out item))
                {
                    return false;
                }

                _waitingBytes -= feed._sizeOf(item);
                (lost, _lost) = (_lost, 0);
                return true;
            }
        }

        private void Wake()
        {
            if (_woken is { } woken)
            {
                _woken = null;
                NodeThreads.Complete(woken);
            }
        }
    }
}
