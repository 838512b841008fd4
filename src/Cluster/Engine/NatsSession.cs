using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.KeyValueStore;
using NATS.Client.ObjectStore;

namespace Cocaine.Fast.Cluster.Engine;

/// <summary>
/// One session with the engine: a connection, from its start to its first fault. Any disconnect ends the session as a whole, because an
/// engine that was away may have come back empty or older, and then revisions mean nothing. Nothing here runs on a loop of the node.
/// </summary>
internal sealed class NatsSession : IAsyncDisposable
{
    private readonly NatsConnection _connection;
    private readonly NatsKVContext _stores;
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<string, INatsKVStore> _buckets = [];
    private int _silences; // requests without an answer since the last answer
    private bool _isDisposed;

    private NatsSession(NatsConnection connection)
    {
        _connection = connection;
        _stores = new NatsKVContext(new NatsJSContext(connection));
        connection.ConnectionDisconnected += OnDisconnected;
    }

    /// <summary>Done with the cause, in words, when the session has ended.</summary>
    public Task<string> Ended => _ended.Task;

    /// <summary>
    /// The name of the engine's life, which each start changes: all that a session of the same life has told still holds. Null for several
    /// servers together, as the one that keeps a bucket may have started anew behind the one that answers.
    /// </summary>
    public string? EngineLife =>
        _connection.ServerInfo is { Id.Length: > 0 } server && string.IsNullOrEmpty(server.Cluster) ? server.Id : null;

    /// <summary>Connects, and makes sure that the buckets are there.</summary>
    /// <param name="access">The way to the engine.</param>
    /// <param name="node">The name of this node, which the engine shows.</param>
    /// <param name="buckets">The names of the buckets.</param>
    /// <exception cref="EngineException">The engine cannot be reached, or does not let this node do its work.</exception>
    public static async Task<NatsSession> OpenAsync(EngineAccess access, string node, params string[] buckets)
    {
        NatsSession session = new(new NatsConnection(OptionsOf(access) with
        {
            Name = $"cocaine-fast {node}",
            ConnectTimeout = EngineBounds.Connect,
            RequestTimeout = EngineBounds.Request,
            PingInterval = EngineBounds.Ping,
            MaxPingOut = EngineBounds.MostPings,
            RetryOnInitialConnect = false,
        }));
        try
        {
            await session._connection.ConnectAsync().ConfigureAwait(false);
            foreach (string bucket in buckets)
            {
                NatsKVConfig config = new(bucket) { History = 1, Storage = NatsKVStorageType.File };
                session._buckets[bucket] = await session._stores.CreateOrUpdateStoreAsync(config, session._end.Token).ConfigureAwait(false);
            }

            return session;
        }
        catch (Exception cause)
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw new EngineException($"the cluster's engine at {access.Urls} cannot be used: {cause.Message}", cause);
        }
    }

    /// <summary>A store of large values, which is made when it is not there.</summary>
    /// <param name="bucket">Its name.</param>
    /// <exception cref="EngineException">The engine cannot be reached, or does not let this node do its work.</exception>
    public async Task<EngineObjects> ObjectsAsync(string bucket)
    {
        try
        {
            NatsObjContext stores = new(new NatsJSContext(_connection));
            NatsObjConfig config = new(bucket) { Storage = NatsObjStorageType.File };
            return new EngineObjects(await stores.CreateObjectStoreAsync(config, _end.Token).ConfigureAwait(false), _end.Token);
        }
        catch (Exception cause)
        {
            throw Silent(cause);
        }
    }

    /// <summary>Tells all who listen to a subject; nobody keeps it, and a message that is lost is lost.</summary>
    /// <param name="subject">The subject.</param>
    /// <param name="message">The message.</param>
    /// <exception cref="EngineException">The session has ended.</exception>
    public async Task TellAsync(string subject, byte[] message)
    {
        try
        {
            await _connection.PublishAsync(subject, message, cancellationToken: _end.Token).ConfigureAwait(false);
        }
        catch (Exception cause)
        {
            throw Silent(cause);
        }
    }

    /// <summary>Waits until the engine has all that was told before; gives up after <see cref="EngineBounds.Request"/>.</summary>
    /// <exception cref="EngineException">The engine did not answer.</exception>
    public async Task FlushAsync()
    {
        try
        {
            await _connection.PingAsync(_end.Token).AsTask().WaitAsync(EngineBounds.Request, _end.Token).ConfigureAwait(false);
        }
        catch (Exception cause)
        {
            throw Silent(cause);
        }
    }

    /// <summary>Hears what is told to a subject, until the session ends. A fault ends the session.</summary>
    /// <param name="subject">The subject.</param>
    /// <param name="onMessage">Called with each message.</param>
    public async Task ListenAsync(string subject, Action<byte[]> onMessage)
    {
        try
        {
            IAsyncEnumerable<NatsMsg<byte[]>> messages = _connection.SubscribeAsync<byte[]>(subject, cancellationToken: _end.Token);
            await foreach (NatsMsg<byte[]> message in messages.ConfigureAwait(false))
            {
                onMessage(message.Data ?? []);
            }

            End("a subscription at the cluster's engine ended");
        }
        catch (Exception cause)
        {
            End($"a subscription at the cluster's engine failed: {cause.Message}");
        }
    }

    /// <summary>The value of a key.</summary>
    /// <param name="bucket">A bucket of this session.</param>
    /// <param name="key">The key; a dot in it is no border.</param>
    /// <exception cref="EngineException">The engine did not answer.</exception>
    public async Task<EngineEntry> ReadAsync(string bucket, string key)
    {
        try
        {
            NatsResult<NatsKVEntry<byte[]>> read =
                await _buckets[bucket].TryGetEntryAsync<byte[]>(Escape(key), cancellationToken: _end.Token).ConfigureAwait(false);
            _silences = 0;
            return read.Success ? new EngineEntry(key, read.Value.Value, read.Value.Revision)
                : read.Error is NatsKVKeyNotFoundException or NatsKVKeyDeletedException ? new EngineEntry(key, null, 0)
                : throw new EngineException($"the cluster's engine did not answer: {read.Error.Message}", read.Error);
        }
        catch (Exception cause) when (cause is not EngineException)
        {
            OnSilence();
            throw Silent(cause);
        }
    }

    /// <summary>Writes a value, if the key still has the revision that was read in this session.</summary>
    /// <param name="bucket">A bucket of this session.</param>
    /// <param name="key">The key; a dot in it is no border.</param>
    /// <param name="value">The value, at most <see cref="EngineBounds.LongestValue"/> bytes.</param>
    /// <param name="revision">The revision that was read; 0 when there was no value.</param>
    /// <exception cref="ArgumentException">The value is too long.</exception>
    public async Task<(WriteOutcome Outcome, ulong Revision)> WriteAsync(string bucket, string key, byte[] value, ulong revision)
    {
        if (value.Length > EngineBounds.LongestValue)
        {
            string bound = $"a record has at most {EngineBounds.LongestValue} bytes, and this one has {value.Length}";
            throw new ArgumentException(bound, nameof(value));
        }

        if (_ended.Task.IsCompleted)
        {
            return (WriteOutcome.Unanswered, 0);
        }

        try
        {
            // An update of revision 0 is a creation: it succeeds only where there is no value.
            NatsResult<ulong> written = await _buckets[bucket].TryUpdateAsync(Escape(key), value, revision, cancellationToken: _end.Token)
                .ConfigureAwait(false);
            _silences = written.Success || written.Error is NatsKVWrongLastRevisionException ? 0 : _silences;
            return written.Success ? (WriteOutcome.Written, written.Value)
                : (written.Error is NatsKVWrongLastRevisionException ? WriteOutcome.Overtaken : WriteOutcome.Unanswered, 0);
        }
        catch (Exception)
        {
            OnSilence();
            return (WriteOutcome.Unanswered, 0); // the caller reads, and finds out
        }
    }

    /// <summary>
    /// Tells all values of a bucket and then each change, until the session ends. Called by one task at a time; a fault of the watch ends
    /// the session.
    /// </summary>
    /// <param name="bucket">A bucket of this session.</param>
    /// <param name="onEntry">Called with each value, in the order of revisions.</param>
    /// <param name="onWhole">Called once, when all values that were there have been told.</param>
    /// <param name="key">The key whose value alone is told; null = all.</param>
    public async Task WatchAsync(string bucket, Action<EngineEntry> onEntry, Action onWhole, string? key = null)
    {
        bool isWhole = false;
        void Whole()
        {
            if (!isWhole)
            {
                isWhole = true;
                onWhole();
            }
        }

        NatsKVWatchOpts options = new()
        {
            IdleHeartbeat = EngineBounds.WatchHeartbeat,
            OnNoData = _ =>
            {
                Whole();
                return ValueTask.FromResult(false);
            },
        };
        try
        {
            INatsKVStore store = _buckets[bucket];
            IAsyncEnumerable<NatsKVEntry<byte[]>> entries = key is null
                ? store.WatchAsync<byte[]>(opts: options, cancellationToken: _end.Token)
                : store.WatchAsync<byte[]>(Escape(key), opts: options, cancellationToken: _end.Token);
            await foreach (NatsKVEntry<byte[]> entry in entries.ConfigureAwait(false))
            {
                byte[]? value = entry.Operation == NatsKVOperation.Put ? entry.Value : null;
                onEntry(new EngineEntry(Unescape(entry.Key), value, entry.Revision));
                if (entry.Delta == 0)
                {
                    Whole();
                }
            }

            End("a watch of the cluster's engine ended");
        }
        catch (Exception cause)
        {
            End($"a watch of the cluster's engine failed: {cause.Message}");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _connection.ConnectionDisconnected -= OnDisconnected;
        End("the session was closed");
        await _connection.DisposeAsync().ConfigureAwait(false);
        _end.Dispose();
    }

    /// <summary>Keys are parts between dots to the engine; names of apps may begin or end with one, and have no slash.</summary>
    private static string Escape(string key) => key.Replace('.', '/');

    private static string Unescape(string key) => key.Replace('/', '.');

    private ValueTask OnDisconnected(object? sender, NatsEventArgs args)
    {
        End($"the connection to the cluster's engine was lost: {args.Message}");
        return default;
    }

    /// <summary>An engine that is stopped keeps its socket: two requests in a row without an answer end the session.</summary>
    private void OnSilence()
    {
        if (Interlocked.Increment(ref _silences) >= EngineBounds.MostSilences)
        {
            End("the cluster's engine did not answer two requests");
        }
    }

    /// <summary>A session that has ended says why; its cancelled requests do not.</summary>
    private EngineException Silent(Exception cause) =>
        new(_ended.Task.IsCompleted ? _ended.Task.Result : $"the cluster's engine does not answer: {cause.Message}", cause);

    /// <exception cref="EngineException">A file of the proof cannot be used.</exception>
    private static NatsOpts OptionsOf(EngineAccess access)
    {
        try
        {
            return access.Options();
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new EngineException(cause.Message, cause);
        }
    }

    private void End(string cause)
    {
        if (_ended.TrySetResult(cause))
        {
            _end.Cancel();
        }
    }
}
