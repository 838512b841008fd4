using System.Text;
using System.Threading.Tasks.Sources;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Worker.Serving;

namespace Cocaine.Fast.Worker;

/// <summary>
/// A job's request, chunk by chunk. Valid while its handler runs, on any thread; there is one read at a time. A handler that had to wait
/// for a chunk goes on on the slave's loop.
/// </summary>
/// <remarks>
/// The loop writes, the handler reads. While nobody but the handler on the loop can read (<see cref="Sharing"/>) there is no lock: it is
/// one thread. Else each looks at chunks and marks under the lock, and goes on with the other's work outside of it.
/// </remarks>
public sealed class Request : IValueTaskSource<ReadOnlyMemory<byte>?>
{
    /// <summary>A larger buffer is given up between jobs, so that one large request does not stay in memory.</summary>
    private const int MaxKeptBytes = 64 << 10;

    private const int LeastBufferBytes = 512;

    private readonly WorkerSession _session;
    private readonly WorkerChannel _channel;
    private readonly Lock _lock = new();
    private byte[] _buffer = [];
    private int _length;
    private int _firstChunk;            // index of the first chunk not read
    private readonly List<(int Offset, int Length)> _chunks = [];
    private ManualResetValueTaskSourceCore<ReadOnlyMemory<byte>?> _waiter;
    private bool _waiting;              // a read waits for a chunk
    private bool _reading;              // a read waits, or was given what its caller has not taken yet
    private volatile bool _isEnded;
    private volatile bool _isCancelled;
    private volatile bool _isOver = true; // the job has not begun, or is over
    private byte[] _headers = [];
    private int _headersLength;
    private CancellationTokenSource? _cancellation;

    internal Request(WorkerSession session, WorkerChannel channel)
    {
        _session = session;
        _channel = channel;
    }

    /// <summary>The event that was called.</summary>
    public string Event { get; private set; } = "";

    /// <summary>The caller has closed its side: no more chunks than those already here will come.</summary>
    public bool IsEnded => _isEnded;

    /// <summary>The job was cancelled: its answer is not wanted any more.</summary>
    public bool IsCancelled => _isCancelled;

    /// <summary>The invoke's headers as they came: an encoded MessagePack array.</summary>
    public ReadOnlySpan<byte> Headers => _headers.AsSpan(0, _headersLength);

    /// <summary>The invoke's headers, decoded; a trace id that the caller did not send is eight zero bytes.</summary>
    public IReadOnlyList<(string Name, byte[] Value)> ReadHeaders()
    {
        List<(string Name, byte[] Value)> all = [];
        _ = Decode((name, value) => all.Add((Encoding.UTF8.GetString(name), value.ToArray())));
        return all;
    }

    /// <summary>The value of the first header of that name, or null.</summary>
    public byte[]? Header(string name)
    {
        foreach ((string known, byte[] value) in ReadHeaders())
        {
            if (known == name)
            {
                return value;
            }
        }

        return null;
    }

    /// <summary>The id of the trace that the call belongs to; 0 when the caller has not sent it.</summary>
    public ulong TraceId => Decode(null).TraceId;

    /// <summary>The id of this call in its trace; 0 when the caller has not sent it.</summary>
    public ulong SpanId => Decode(null).SpanId;

    /// <summary>The id of the call that this one was made for; 0 when the caller has not sent it.</summary>
    public ulong ParentId => Decode(null).ParentId;

    /// <summary>Fires when the job is cancelled. Made when it is first asked for.</summary>
    public CancellationToken Cancelled
    {
        get
        {
            CancellationTokenSource source;
            using (EnterAsReader())
            {
                source = _cancellation ??= new CancellationTokenSource();
            }

            if (IsCancelled)
            {
                source.Cancel();
            }

            return source.Token;
        }
    }

    /// <summary>The next chunk when it is here already.</summary>
    /// <param name="chunk">Its bytes, valid until the next read.</param>
    /// <exception cref="InvalidOperationException">The job has ended.</exception>
    public bool TryRead(out ReadOnlyMemory<byte> chunk)
    {
        using (EnterAsReader())
        {
            return TryTake(out chunk);
        }
    }

    /// <summary>The next chunk, or null at the end of the request. Its bytes are valid until the next read.</summary>
    /// <exception cref="OperationCanceledException">The job was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The job has ended, or another read waits.</exception>
    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync()
    {
        using (EnterAsReader())
        {
            if (_reading)
            {
                throw new InvalidOperationException("a read waits already: there is one at a time");
            }

            if (TryTake(out ReadOnlyMemory<byte> chunk))
            {
                return new ValueTask<ReadOnlyMemory<byte>?>(chunk);
            }

            if (IsCancelled)
            {
                return ValueTask.FromException<ReadOnlyMemory<byte>?>(new OperationCanceledException("the job was cancelled"));
            }

            if (IsEnded)
            {
                return default;
            }

            // All was read, and the chunk given last is not needed any more: the buffer starts over.
            _chunks.Clear();
            _firstChunk = _length = 0;
            _waiter.Reset();
            _waiting = _reading = true;
            return new ValueTask<ReadOnlyMemory<byte>?>(this, _waiter.Version);
        }
    }

    /// <summary>The whole request, once the caller has closed its side.</summary>
    /// <exception cref="OperationCanceledException">The job was cancelled.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAllAsync()
    {
        if (IsEnded)
        {
            return Whole();
        }

        using MemoryStream all = new();
        while (await ReadAsync().ConfigureAwait(false) is { } chunk)
        {
            all.Write(chunk.Span);
        }

        return all.ToArray();
    }

    ReadOnlyMemory<byte>? IValueTaskSource<ReadOnlyMemory<byte>?>.GetResult(short token)
    {
        if (_waiter.GetStatus(token) != ValueTaskSourceStatus.Pending)
        {
            _reading = false;
        }

        return _waiter.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<ReadOnlyMemory<byte>?>.GetStatus(short token) => _waiter.GetStatus(token);

    void IValueTaskSource<ReadOnlyMemory<byte>?>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _waiter.OnCompleted(continuation, state, token, flags);

    /// <summary>The received bytes that were not read, as one piece.</summary>
    internal ReadOnlyMemory<byte> Whole()
    {
        using (EnterAsReader())
        {
            int start = _firstChunk < _chunks.Count ? _chunks[_firstChunk].Offset : _length;
            _firstChunk = _chunks.Count;
            return _buffer.AsMemory(start, _length - start);
        }
    }

    internal void Begin(string name, ReadOnlySpan<byte> headers)
    {
        Event = name;
        _isEnded = _isCancelled = false;
        if (_headers.Length < headers.Length)
        {
            _headers = new byte[headers.Length];
        }

        headers.CopyTo(_headers);
        _headersLength = headers.Length;
        _isOver = false;
    }

    /// <summary>A chunk has come. On the loop, as all that follows.</summary>
    internal void Add(scoped in Payload data)
    {
        ReadOnlyMemory<byte> chunk = default;
        bool wakes;
        using (EnterAsLoop())
        {
            Append(in data);
            wakes = _waiting && TryTake(out chunk);
            _waiting &= !wakes;
        }

        if (wakes)
        {
            Wake(chunk, null);
        }
    }

    /// <summary>The caller's side is closed.</summary>
    internal void Complete()
    {
        bool wakes;
        using (EnterAsLoop())
        {
            _isEnded = true;
            (wakes, _waiting) = (_waiting, false);
        }

        if (wakes)
        {
            Wake(null, null);
        }
    }

    internal void Cancel()
    {
        bool wakes;
        using (EnterAsLoop())
        {
            _isCancelled = true;
            (wakes, _waiting) = (_waiting, false);
        }

        try
        {
            _cancellation?.Cancel();
        }
        catch (Exception failure)
        {
            FailureText.Print(failure); // a callback's of the app: not the loop's, which goes on
        }

        if (wakes)
        {
            Wake(null, new OperationCanceledException("the job was cancelled"));
        }
    }

    /// <summary>The job is over: later reads throw. False when a read was forgotten, so that somebody still has this object.</summary>
    internal bool End()
    {
        _isOver = true;
        return !_reading;
    }

    internal void Reset()
    {
        _chunks.Clear();
        _firstChunk = _length = 0;
        _cancellation = null;
        if (_buffer.Length > MaxKeptBytes)
        {
            _buffer = [];
        }
    }

    /// <summary>Wrong headers are left out.</summary>
    private HeaderSet Decode(HeaderLook? seen)
    {
        HeaderSet set = new() { Seen = seen };
        _ = HeaderReader.Decode(Headers, new HeaderTable(), set, ProtocolLimits.Default);
        return set;
    }

    private void Append(scoped in Payload data)
    {
        if (_buffer.Length - _length < data.Length)
        {
            // A new array, not a rented one: the handler may still hold a chunk of the old one.
            byte[] larger = new byte[Math.Max(Math.Max(_buffer.Length * 2, LeastBufferBytes), checked(_length + data.Length))];
            _buffer.AsSpan(0, _length).CopyTo(larger);
            _buffer = larger;
        }

        data.CopyTo(_buffer.AsSpan(_length));
        _chunks.Add((_length, data.Length));
        _length += data.Length;
    }

    private bool TryTake(out ReadOnlyMemory<byte> chunk)
    {
        if (_firstChunk == _chunks.Count)
        {
            chunk = default;
            return false;
        }

        (int offset, int length) = _chunks[_firstChunk++];
        chunk = _buffer.AsMemory(offset, length);
        return true;
    }

    /// <summary>The waiting read ends: its handler goes on here, on the loop.</summary>
    private void Wake(ReadOnlyMemory<byte>? chunk, Exception? failure)
    {
        _channel.EnterHandler();
        try
        {
            if (failure is null)
            {
                _waiter.SetResult(chunk);
            }
            else
            {
                _waiter.SetException(failure);
            }
        }
        catch (Exception thrown)
        {
            FailureText.Print(thrown); // by an awaiter of the app's own; an async method's exceptions stay in its task
        }

        _channel.LeaveHandler();
    }

    private ReadScope EnterAsLoop() => new(_channel.Sharing == Sharing.Anybody ? _lock : null);

    private ReadScope EnterAsReader()
    {
        if (_isOver)
        {
            throw new InvalidOperationException("the job has ended: its request is not there any more");
        }

        bool isOnLoop = _session.IsOnLoop;
        if (!isOnLoop)
        {
            _channel.ThrowIfPrivate();
        }

        return new ReadScope(isOnLoop && _channel.Sharing != Sharing.Anybody ? null : _lock);
    }

    /// <summary>Holds the lock, where there is one to hold.</summary>
    private readonly ref struct ReadScope
    {
        private readonly Lock? _held;

        public ReadScope(Lock? toHold)
        {
            _held = toHold;
            toHold?.Enter();
        }

        public void Dispose() => _held?.Exit();
    }
}
