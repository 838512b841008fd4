using System.Buffers;
using Cocaine.Fast.Client.Choosing;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Client.Clusters;

/// <summary>
/// A client of an app that runs on many nodes. It is connected to all of them, or to twenty when there are more, sends each call to the
/// node that will probably answer first, and goes on with the others when one is lost. For any number of calls at the same time, from any
/// thread.
/// </summary>
/// <remarks>
/// <para>A call that a node had no room for, or that never reached it, goes to another node, twice at most. A call that a node had when its
/// connection was lost goes to another one only with <see cref="CallOptions.Idempotent"/>; such a call also gets one second copy, at
/// another node, when its node says nothing for 250 ms. All of these together are a tenth of the calls and ten a second at most, so that
/// retries do not keep an overload up.</para>
/// <para>A deadline is for all tries of a call together. An answer of the app, an error too, always counts.</para>
/// </remarks>
public sealed class ClusterClient : IAsyncDisposable
{
    private readonly NodeSet _nodes;
    private readonly NodeKeeper _keeper;
    private readonly TimeSpan _patience;

    private ClusterClient(string app, ClusterOptions options)
    {
        _nodes = new NodeSet(app);
        _keeper = new NodeKeeper(app, options, _nodes);
        _patience = options.Connection.ConnectTimeout;
    }

    /// <summary>The nodes that the client knows now.</summary>
    public IReadOnlyList<ClusterNode> Nodes => _nodes.List();

    /// <summary>Finds the nodes of an app and connects to them.</summary>
    /// <param name="app">The app's name, or <c>app/task</c> for one of its native servers.</param>
    /// <param name="options">The settings; null for the defaults.</param>
    /// <param name="cancellation">Gives the connect up.</param>
    /// <exception cref="CocaineException">The locators know no app of this name, or this client may not call it.</exception>
    /// <exception cref="ConnectionLostException">No locator, or no node of the app, can be reached.</exception>
    /// <exception cref="FormatException">An endpoint cannot be read, or a setting is wrong.</exception>
    public static async Task<ClusterClient> ConnectAsync(
        string app, ClusterOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(app);
        options ??= new ClusterOptions();
        if (options.Connection.Seal is not null)
        {
            throw new FormatException("a sealed call is for one node, and a client of a cluster has many: use a CocaineClient");
        }

        ClusterClient client = new(app, options);
        try
        {
            await client._keeper.StartAsync(cancellation).ConfigureAwait(false);
            return client;
        }
        catch
        {
            await client.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Calls an event with one request, and appends the answer to <paramref name="answer"/>.</summary>
    /// <param name="eventName">The method.</param>
    /// <param name="request">The request; its bytes must not change before the call is done.</param>
    /// <param name="answer">Gets the answer; another thread uses it until the call is done.</param>
    /// <param name="options">Deadlines and more.</param>
    /// <param name="cancellation">Gives the call up: the job is cancelled.</param>
    /// <returns>The number of the answer's bytes.</returns>
    /// <exception cref="CocaineException">The answer was an error.</exception>
    /// <exception cref="ConnectionLostException">The connection ended before the answer, or no node is connected.</exception>
    /// <exception cref="FormatException">The event's name is too long.</exception>
    /// <exception cref="ArgumentException">The request is longer than 64 MiB.</exception>
    public async ValueTask<int> CallAsync(
        string eventName, ReadOnlyMemory<byte> request, IBufferWriter<byte> answer, CallOptions options = default,
        CancellationToken cancellation = default)
    {
        long begunNs = Clock.NowNs;
        _nodes.OnCall();
        Attempt attempt = await TakeAsync(options, cancellation).ConfigureAwait(false);
        List<ClusterLink> tried = [attempt.Link];
        CallCopies? copies = options.Idempotent ? new CallCopies(_nodes, (at, to, over) => RunAsync(at, to, over).AsTask()) : null;
        while (true)
        {
            try
            {
                return copies is null ? await RunAsync(attempt, answer, cancellation).ConfigureAwait(false)
                    : await copies.RunAsync(attempt, tried, answer, cancellation).ConfigureAwait(false);
            }
            catch (Exception failure) when (MayRetry(failure))
            {
                if (!_nodes.TryTakeOther(tried, out attempt))
                {
                    throw;
                }

                tried.Add(attempt.Link);
            }
        }

        bool MayRetry(Exception failure) => !(options.Deadline <= Since(begunNs))
            && RetryRule.MayRetry(TryEnds.Of(failure), options.Idempotent, copies?.HasBegun ?? false, tried.Count);

        async ValueTask<int> RunAsync(Attempt at, IBufferWriter<byte> to, CancellationToken over)
        {
            CallOptions left = options with { Deadline = RetryRule.Left(options.Deadline, Since(begunNs)) };
            try
            {
                int bytes = await at.Client.CallAsync(eventName, request, to, in left, over).ConfigureAwait(false);
                _nodes.OnAnswered(at);
                return bytes;
            }
            catch (Exception failure)
            {
                _nodes.OnFailed(at, failure);
                throw;
            }
        }
    }

    /// <summary>Calls an event and returns the answer as an array.</summary>
    /// <inheritdoc cref="CallAsync(string, ReadOnlyMemory{byte}, IBufferWriter{byte}, CallOptions, CancellationToken)"/>
    public async Task<byte[]> CallAsync(
        string eventName, ReadOnlyMemory<byte> request, CallOptions options = default, CancellationToken cancellation = default)
    {
        ArrayBufferWriter<byte> answer = new();
        await CallAsync(eventName, request, answer, options, cancellation).ConfigureAwait(false);
        return answer.WrittenSpan.ToArray();
    }

    /// <summary>
    /// Opens a call with a streamed request and a streamed answer. It stays with its node from the first chunk on; before that it goes to
    /// another node when its own has no room.
    /// </summary>
    /// <param name="eventName">The method.</param>
    /// <param name="options">Deadlines and more.</param>
    /// <param name="cancellation">Gives the call up: the job is cancelled, and reads fail.</param>
    /// <exception cref="ConnectionLostException">No node is connected.</exception>
    /// <exception cref="FormatException">The event's name is too long.</exception>
    public async ValueTask<ClusterCall> OpenAsync(string eventName, CallOptions options = default, CancellationToken cancellation = default)
    {
        _nodes.OnCall();
        Attempt attempt = await TakeAsync(options, cancellation).ConfigureAwait(false);
        return new ClusterCall(_nodes, attempt, (at, spent) => at.Client.Open(
            eventName, options with { Deadline = RetryRule.Left(options.Deadline, spent) }, cancellation));
    }

    /// <summary>Closes the connections. Calls that are under way fail.</summary>
    public async ValueTask DisposeAsync() => await _keeper.StopAsync().ConfigureAwait(false);

    private static TimeSpan Since(long ns) => TimeSpan.FromTicks((Clock.NowNs - ns) / TimeSpan.NanosecondsPerTick);

    /// <summary>The node of a call; waits for one while none is connected.</summary>
    private async ValueTask<Attempt> TakeAsync(CallOptions options, CancellationToken cancellation)
    {
        Attempt attempt;
        while (!_nodes.TryTake(out attempt))
        {
            TimeSpan most = options.Deadline is { } deadline && deadline < _patience ? deadline : _patience;
            try
            {
                await _nodes.Some.WaitAsync(most, cancellation).ConfigureAwait(false);
            }
            catch (TimeoutException late)
            {
                throw new ConnectionLostException(_nodes.NoNode(), late);
            }
        }

        return attempt;
    }
}
