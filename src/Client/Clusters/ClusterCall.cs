using Cocaine.Fast.Client.Choosing;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Client.Clusters;

/// <summary>
/// A call of a cluster with a streamed request and a streamed answer, and with one writer and one reader. Dispose of the call: this cancels
/// a call that has not ended.
/// </summary>
public sealed class ClusterCall : IAsyncDisposable
{
    private readonly NodeSet _nodes;
    private readonly Func<Attempt, TimeSpan, ClientCall> _open;
    private readonly List<ClusterLink> _tried = [];
    private readonly long _begunNs = Clock.NowNs;
    private readonly Lock _lock = new();
    private Attempt _attempt;   // of the present try
    private ClientCall _call;   // under the lock: writer and reader may work at the same time
    private bool _hasBegun;     // under the lock: a chunk was written or read, and the call stays with its node
    private int _isOver;        // 1 when the node's set knows how the try has ended

    internal ClusterCall(NodeSet nodes, Attempt attempt, Func<Attempt, TimeSpan, ClientCall> open)
    {
        _nodes = nodes;
        _open = open;
        Open(attempt);
    }

    /// <summary>Sends a chunk of the request; waits as <see cref="ClientCall.WriteAsync"/> does.</summary>
    /// <param name="chunk">The chunk; its bytes must not change before the write is done.</param>
    /// <exception cref="InvalidOperationException">The write before has not been awaited.</exception>
    /// <exception cref="ArgumentException">The chunk is longer than 64 MiB.</exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> chunk) => Begun().WriteAsync(chunk);

    /// <summary>Ends the request.</summary>
    /// <exception cref="InvalidOperationException">The write before has not been awaited.</exception>
    public ValueTask CompleteAsync() => Begun().CompleteAsync();

    /// <summary>The next chunk of the answer, good until the next read; null at the end.</summary>
    /// <exception cref="CocaineException">The answer ended with an error.</exception>
    /// <exception cref="ConnectionLostException">The connection ended before the answer.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync()
    {
        while (true)
        {
            try
            {
                ReadOnlyMemory<byte>? chunk = await _call.ReadAsync().ConfigureAwait(false);
                Begun();
                if (chunk is null)
                {
                    End(null);
                }

                return chunk;
            }
            catch (Exception failure)
            {
                if (!await TryOtherAsync(failure).ConfigureAwait(false))
                {
                    throw;
                }
            }
        }
    }

    /// <summary>The chunks of the answer as they come; each is good until the next.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAllAsync()
    {
        while (await ReadAsync().ConfigureAwait(false) is { } chunk)
        {
            yield return chunk;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        End(new OperationCanceledException());
        return _call.DisposeAsync();
    }

    /// <summary>The call, which stays with its node from now on.</summary>
    private ClientCall Begun()
    {
        lock (_lock)
        {
            _hasBegun = true;
            return _call;
        }
    }

    private async ValueTask<bool> TryOtherAsync(Exception failure)
    {
        End(failure);
        TryEnd end = TryEnds.Of(failure);
        ClientCall before;
        lock (_lock)
        {
            before = _call;
            if (!RetryRule.MayRetry(end, isIdempotent: false, _hasBegun, _tried.Count)
                || !_nodes.TryTakeOther(_tried, out Attempt other))
            {
                return false;
            }

            Open(other);
        }

        await before.DisposeAsync().ConfigureAwait(false);
        return true;
    }

    private void Open(Attempt attempt)
    {
        _attempt = attempt;
        _tried.Add(attempt.Link);
        try
        {
            _call = _open(attempt, TimeSpan.FromTicks((Clock.NowNs - _begunNs) / TimeSpan.NanosecondsPerTick));
            Volatile.Write(ref _isOver, 0); // the other half is in End
        }
        catch (Exception failure)
        {
            _nodes.OnFailed(attempt, failure);
            throw;
        }
    }

    /// <summary>The set hears once how a try has ended.</summary>
    private void End(Exception? failure)
    {
        if (Interlocked.Exchange(ref _isOver, 1) != 0)
        {
            return;
        }

        if (failure is null)
        {
            _nodes.OnAnswered(_attempt);
        }
        else
        {
            _nodes.OnFailed(_attempt, failure);
        }
    }
}
