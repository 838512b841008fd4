namespace Cocaine.Fast.Client;

/// <summary>
/// A call with a streamed request and a streamed answer, and with one writer and one reader, which may work at the same time. Dispose of
/// the call: this cancels a call that has not ended. A stream allocates nothing once its client is warm.
/// </summary>
/// <remarks>
/// The reader may pause for as long as it likes: the node holds the answer from 256 KiB of unread bytes on, and the client's other calls go
/// on meanwhile, so that calls may be made within the reading of an answer. A node ends a call of which it has had to keep bytes for 60 s.
/// With a node that does not know flow control (docs/protocol.md), a reader that pauses stops the other calls of its client.
/// </remarks>
public readonly struct ClientCall : IAsyncDisposable, IEquatable<ClientCall>
{
    private readonly StreamCall _call;
    private readonly int _use;

    internal ClientCall(StreamCall call)
    {
        _call = call;
        _use = call.Use;
    }

    private StreamCall Call => _call is not null && _call.Use == _use ? _call : throw new ObjectDisposedException(nameof(ClientCall));

    /// <summary>
    /// Sends a chunk of the request; waits while more than 1 MiB is on its way, and while the node asks to hold the request because its
    /// handler is behind. The call's end ends the wait too, in any way, a cancellation and the deadline included. A chunk that was not sent
    /// when the call ends is dropped, and the reader learns how the call has ended.
    /// </summary>
    /// <param name="chunk">The chunk; its bytes must not change before the write is done.</param>
    /// <exception cref="InvalidOperationException">The write before has not been awaited.</exception>
    /// <exception cref="ArgumentException">The chunk is longer than 64 MiB.</exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> chunk) => Call.WriteAsync(CocaineClient.Bounded(chunk, nameof(chunk)));

    /// <summary>Ends the request.</summary>
    /// <exception cref="InvalidOperationException">The write before has not been awaited.</exception>
    public ValueTask CompleteAsync() => Call.CompleteAsync();

    /// <summary>
    /// The next chunk of the answer, good until the next read; null at the end. Chunks that came before an error are read before it.
    /// </summary>
    /// <exception cref="CocaineException">The answer ended with an error.</exception>
    /// <exception cref="ConnectionLostException">The connection ended before the answer.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync() => Call.ReadAsync();

    /// <summary>The chunks of the answer as they come, for <c>await foreach</c>; each is good until the next.</summary>
    /// <exception cref="CocaineException">The answer ended with an error.</exception>
    /// <exception cref="ConnectionLostException">The connection ended before the answer.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public Chunks ReadAllAsync() => new(Call);

    /// <summary>
    /// Gives the call up when the answer has not ended: the job is cancelled. Frees the unread bytes, in the client and in the node.
    /// </summary>
    public ValueTask DisposeAsync() => _call is not null && _call.Use == _use ? _call.EndAsync() : default;

    /// <inheritdoc/>
    public bool Equals(ClientCall other) => ReferenceEquals(_call, other._call) && _use == other._use;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ClientCall other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_call, _use);

    /// <summary>True for two handles of the same call.</summary>
    public static bool operator ==(ClientCall left, ClientCall right) => left.Equals(right);

    /// <summary>True for handles of different calls.</summary>
    public static bool operator !=(ClientCall left, ClientCall right) => !left.Equals(right);

    /// <summary>The chunks of an answer.</summary>
    public readonly struct Chunks
    {
        private readonly StreamCall _call;

        internal Chunks(StreamCall call) => _call = call;

        /// <summary>Used by <c>await foreach</c>.</summary>
        public Enumerator GetAsyncEnumerator() => new(_call);
    }

    /// <summary>Walks the chunks of an answer.</summary>
    public readonly struct Enumerator
    {
        private readonly StreamCall _call;

        internal Enumerator(StreamCall call) => _call = call;

        /// <summary>The chunk.</summary>
        public ReadOnlyMemory<byte> Current => _call.Current;

        /// <summary>Waits for the next chunk; false at the end.</summary>
        public ValueTask<bool> MoveNextAsync() => _call.MoveNextAsync();
    }
}
