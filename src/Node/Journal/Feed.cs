using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Cocaine.Fast.Node.Journal;

/// <summary>
/// Keeps the newest items, and gives them and those that come to any number of readers. A reader that does not keep up loses the oldest,
/// and is told how many; nobody ever waits for a reader.
/// </summary>
/// <param name="maxItems">Items that are kept, and items that may wait for one reader.</param>
/// <param name="maxBytes">Bytes of the items that are kept, as <paramref name="sizeOf"/> counts them.</param>
/// <param name="sizeOf">The size of an item.</param>
/// <param name="withLost">The item, with the number of those that a reader has lost right before it.</param>
internal sealed class Feed<T>(int maxItems, long maxBytes, Func<T, long> sizeOf, Func<T, long, T> withLost)
    where T : class
{
    private readonly Lock _lock = new(); // held for a few copies of references
    private readonly Queue<T> _kept = new();
    private readonly List<Reader> _readers = [];
    private long _keptBytes;
    private bool _ended;

    /// <summary>From any thread.</summary>
    public void Add(T item)
    {
        lock (_lock)
        {
            _kept.Enqueue(item);
            _keptBytes += sizeOf(item);
            while (_kept.Count > maxItems || (_keptBytes > maxBytes && _kept.Count > 1))
            {
                _keptBytes -= sizeOf(_kept.Dequeue());
            }

            foreach (Reader reader in _readers)
            {
                reader.Offer(item);
            }
        }
    }

    /// <summary>Nothing comes any more: readers end when they have read what there is.</summary>
    public void End()
    {
        lock (_lock)
        {
            _ended = true;
            _readers.ForEach(reader => reader.End());
        }
    }

    /// <summary>What is kept, and then what comes unless <paramref name="follow"/> is false.</summary>
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
                reader = new Reader(maxItems, filter);
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

            while (reader is not null && await reader.WaitAsync(cancellation).ConfigureAwait(false))
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

    /// <summary>One reader's queue.</summary>
    private sealed class Reader
    {
        private readonly Predicate<T>? _filter;
        private readonly Channel<T> _waiting;
        private long _lost;

        public Reader(int maxItems, Predicate<T>? filter)
        {
            _filter = filter;
            BoundedChannelOptions options = new(maxItems) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true };
            _waiting = Channel.CreateBounded<T>(options, _ => Interlocked.Increment(ref _lost));
        }

        public void Offer(T item)
        {
            if (_filter is null || _filter(item))
            {
                _waiting.Writer.TryWrite(item);
            }
        }

        public void End() => _waiting.Writer.TryComplete();

        public ValueTask<bool> WaitAsync(CancellationToken cancellation) => _waiting.Reader.WaitToReadAsync(cancellation);

        /// <summary>All that was lost by now is older than what is taken.</summary>
        public bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out T? item, out long lost)
        {
            bool taken = _waiting.Reader.TryRead(out item);
            lost = taken ? Interlocked.Exchange(ref _lost, 0) : 0;
            return taken;
        }
    }
}
