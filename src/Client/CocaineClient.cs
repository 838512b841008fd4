using System.Buffers;
using System.Collections.Concurrent;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.ObjectPool;

namespace Cocaine.Fast.Client;

/// <summary>
/// A connection to a native-server: any number of calls at the same time, from any thread. Calls that are under way when the connection
/// ends fail with <see cref="ConnectionLostException"/>; the client never sends a call again by itself.
/// </summary>
public sealed class CocaineClient : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, byte[]> _names = new(StringComparer.Ordinal);
    private readonly ObjectPool<UnaryCall> _calls;
    private readonly ObjectPool<StreamCall> _streams;

    private CocaineClient(EventLoop loop, int descriptor, ClientOptions options, ClientSealer? sealer)
    {
        Loop = loop;
        Connection = new ClientConnection(loop, descriptor) { Sealer = sealer, Credential = Credential.Encode(options.Token) };
        bool inline = options.UnsafeInlineContinuations;

        // More calls at the same time than this are made anew: they cost an object each.
        _calls = PoolOf(() => new UnaryCall(Connection, inline, call => _calls!.Return(call)), kept: 4096);
        _streams = PoolOf(() => new StreamCall(Connection, inline, call => _streams!.Return(call)), kept: 256);
    }

    internal EventLoop Loop { get; }

    internal ClientConnection Connection { get; }

    /// <summary>Connects.</summary>
    /// <param name="endpoint"><c>tcp://HOST:PORT</c>, <c>tls://HOST:PORT</c> or <c>ipc:///path</c>.</param>
    /// <param name="options">The settings; null for the defaults.</param>
    /// <param name="cancellation">Gives the connect up.</param>
    /// <exception cref="ConnectionLostException">
    /// Nobody answers there, or the server's certificate fails a check. A server may refuse this client's certificate later, with the first
    /// call.
    /// </exception>
    /// <exception cref="FormatException">
    /// The endpoint cannot be read, or a setting or a file of <see cref="ClientOptions.Tls"/> or <see cref="ClientOptions.Seal"/> is wrong.
    /// </exception>
    /// <exception cref="IOException">A file of <see cref="ClientOptions.Seal"/> cannot be opened.</exception>
    public static async Task<CocaineClient> ConnectAsync(string endpoint, ClientOptions? options = null,
        CancellationToken cancellation = default)
    {
        options ??= new ClientOptions();
        ClientSealer? sealer = options.Seal is { } seal ? ClientSealer.Load(seal) : null;
        ServerSocket server = await ServerConnector.ConnectAsync(endpoint, options, cancellation).ConfigureAwait(false);
        EventLoop loop = ClientLoop.Shared;
        CocaineClient client = new(loop, server.Descriptor, options, sealer);
        loop.Post(() => server.Open(client.Connection));
        return client;
    }

    /// <summary>
    /// Connects to an app by its name: the first of the addresses that the locator of its node tells. Each look and each attempt to connect
    /// has <see cref="ClientOptions.ConnectTimeout"/>.
    /// </summary>
    /// <param name="app">The app's name, or <c>app/task</c> for one of its native servers.</param>
    /// <param name="locator">
    /// The endpoint of a node's locator; null = the variable <c>COCAINE_LOCATOR</c>, which a node sets for its workers, or
    /// <see cref="AppLocator.DefaultEndpoint"/>.
    /// </param>
    /// <param name="options">The settings; null for the defaults. See <see cref="AppLocator.FindAsync"/> about TLS.</param>
    /// <param name="cancellation">Gives the connect up.</param>
    /// <exception cref="CocaineException">The locator knows no app of this name, or this client may not call it.</exception>
    /// <exception cref="ConnectionLostException">The locator, or every address of the app, cannot be reached.</exception>
    /// <exception cref="FormatException">As for <see cref="ConnectAsync"/>.</exception>
    /// <exception cref="IOException">A file of <see cref="ClientOptions.Seal"/> cannot be opened.</exception>
    public static async Task<CocaineClient> ConnectToAppAsync(string app, string? locator = null, ClientOptions? options = null,
        CancellationToken cancellation = default)
    {
        IReadOnlyList<string> endpoints = await AppLocator.FindAsync(app, locator, options, cancellation).ConfigureAwait(false);
        for (int next = 0; ; next++)
        {
            try
            {
                return await ConnectAsync(endpoints[next], options, cancellation).ConfigureAwait(false);
            }
            catch (ConnectionLostException) when (next + 1 < endpoints.Count)
            {
                // the next address; the failure of the last one is told
            }
        }
    }

    /// <summary>The arguments of the only answer to a question of a locator.</summary>
    internal async Task<byte[]> AskAsync(string name, CancellationToken cancellation)
    {
        QueryCall call = new(Connection, NameOf(name));
        Loop.Post(call);
        return await call.Answer.WaitAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Calls an event with one request, and appends every chunk of the answer to <paramref name="answer"/>.</summary>
    /// <param name="eventName">The method.</param>
    /// <param name="request">The request; its bytes must not change before the call is done.</param>
    /// <param name="answer">Gets the answer; another thread uses it until the call is done.</param>
    /// <param name="options">Deadlines and more.</param>
    /// <param name="cancellation">Gives the call up: the job is cancelled.</param>
    /// <returns>The number of the answer's bytes.</returns>
    /// <exception cref="CocaineException">The answer was an error.</exception>
    /// <exception cref="ConnectionLostException">The connection ended before the answer.</exception>
    /// <exception cref="FormatException">The event's name is too long.</exception>
    /// <exception cref="ArgumentException">The request is longer than 64 MiB: use <see cref="Open"/> and several chunks.</exception>
    public ValueTask<int> CallAsync(
        string eventName, ReadOnlyMemory<byte> request, IBufferWriter<byte> answer, in CallOptions options = default,
        CancellationToken cancellation = default) =>
        CallAsync(NameOf(eventName), Bounded(request, nameof(request)), answer, in options, cancellation);

    private ValueTask<int> CallAsync(
        byte[] name, ReadOnlyMemory<byte> request, IBufferWriter<byte> answer, in CallOptions options, CancellationToken cancellation) =>
        _calls.Get().Begin(name, request, answer, in options, cancellation); // a call is taken once its arguments are known to be right

    /// <summary>Calls an event and returns the answer as an array.</summary>
    /// <inheritdoc cref="CallAsync(string, ReadOnlyMemory{byte}, IBufferWriter{byte}, in CallOptions, CancellationToken)"/>
    public async Task<byte[]> CallAsync(string eventName, ReadOnlyMemory<byte> request, CallOptions options = default,
        CancellationToken cancellation = default)
    {
        ArrayBufferWriter<byte> answer = new();
        await CallAsync(eventName, request, answer, in options, cancellation).ConfigureAwait(false);
        return answer.WrittenSpan.ToArray();
    }

    /// <summary>
    /// Opens a call with a streamed request and a streamed answer. A stream that pauses holds back no other call of this client: see
    /// <see cref="ClientCall"/>.
    /// </summary>
    /// <param name="eventName">The method.</param>
    /// <param name="options">Deadlines and more.</param>
    /// <param name="cancellation">Gives the call up: the job is cancelled, and reads fail.</param>
    public ClientCall Open(string eventName, in CallOptions options = default, CancellationToken cancellation = default)
    {
        byte[] name = NameOf(eventName);
        StreamCall call = _streams.Get();
        ClientCall handle = new(call);
        call.Open(name, in options, cancellation);
        return handle;
    }

    /// <summary>The app's info as a MessagePack map.</summary>
    /// <exception cref="CocaineException">The answer was an error.</exception>
    public async Task<byte[]> InfoAsync(CancellationToken cancellation = default)
    {
        QueryCall call = new(Connection);
        Loop.Post(call);
        byte[] arguments = await call.Answer.WaitAsync(cancellation).ConfigureAwait(false);
        return arguments[1..]; // after the array's head of one byte: one argument
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Loop.Post(() =>
        {
            Connection.FlushAndClose("the client was disposed");
            done.SetResult();
        });
        return new ValueTask(done.Task);
    }

    private static DefaultObjectPool<T> PoolOf<T>(Func<T> create, int kept)
        where T : class => new(new CallPolicy<T>(create), kept);

    /// <summary>The chunk, when the node takes it: a longer one would end the connection, and the other calls with it.</summary>
    internal static ReadOnlyMemory<byte> Bounded(ReadOnlyMemory<byte> chunk, string name)
    {
        int most = ProtocolLimits.Default.MaxMessageBytes;
        return chunk.Length <= most ? chunk
            : throw new ArgumentException($"a chunk has at most {most} bytes, and this one has {chunk.Length}: send it in pieces", name);
    }

    private byte[] NameOf(string name) =>
        _names.TryGetValue(name, out byte[]? known) ? known : _names.GetOrAdd(name, OpeningBounds.EncodeName(name));

    private sealed class CallPolicy<T>(Func<T> create) : IPooledObjectPolicy<T>
        where T : notnull
    {
        public T Create() => create();

        public bool Return(T obj) => true;
    }
}
