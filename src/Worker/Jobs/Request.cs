using System.Threading.Tasks.Sources;
using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Worker;

/// <summary>
/// A job's request, chunk by chunk. Valid while its handler runs, on any thread, with one read at a time. A handler that had to wait for a
/// chunk continues on the slave's loop.
/// </summary>
/// <remarks>
/// The loop writes, the handler reads. While only the handler on the loop can read (<see cref="Sharing"/>) there is no lock, because it is
/// the same thread. Otherwise each side changes chunks and marks under the lock, and runs the other's continuation outside of it.
/// </remarks>
public sealed class Request : IValueTaskSource<ReadOnlyMemory<byte>?>, IHandlerWait, ILongRequest
{
    private readonly JobHolders _holders;
    private readonly UnreadRequest _unread;
    private readonly ReadyHandlers _ready;
    private readonly JobHeaders _headers = new();
    private readonly ArrivedChunks _chunks;
    private readonly Lock _lock = new();
    private ManualResetValueTaskSourceCore<ReadOnlyMemory<byte>?> _waiter;
    private bool _waiting;              // a read waits for a chunk
    private bool _reading;              // a read waits, or its caller has not taken its chunk yet
    private volatile bool _isEnded;
    private volatile JobCancelledException? _givenUp; // the caller's error, once the job was cancelled
    private volatile bool _isOver = true; // the job has not begun, or is over
    private bool _isReady;              // the waiting read will be looked at; only the loop uses it
    private CancellationTokenSource? _cancellation;

    internal Request(JobHolders holders, UnreadBytes unread, ReadyHandlers ready, BlockPool blocks)
    {
        _chunks = new ArrivedChunks(blocks);
        _holders = holders;
        _unread = new UnreadRequest(unread);
        _ready = ready;
    }

    /// <summary>The event that was called.</summary>
    public string Event { get; private set; } = "";

    /// <summary>The caller has closed its side: no more chunks than those already here will come.</summary>
    public bool IsEnded => _isEnded;

    /// <summary>The job was cancelled: nobody wants its answer any more.</summary>
    public bool IsCancelled => _givenUp is not null;

    /// <summary>The caller's error, once the job was cancelled; otherwise null.</summary>
    public JobCancelledException? Cancellation => _givenUp?.Again();

    /// <summary>The invoke's headers in their encoded form: a MessagePack array.</summary>
    public ReadOnlySpan<byte> Headers => _headers.Encoded;

    /// <summary>The invoke's headers, decoded; a trace id that the caller did not send is eight zero bytes.</summary>
    public IReadOnlyList<(string Name, byte[] Value)> ReadHeaders() => _headers.ReadAll();

    /// <summary>The value of the first header of that name, or null.</summary>
    public byte[]? Header(string name) => _headers.ReadAll().FirstOrDefault(header => header.Name == name).Value;

    /// <summary>The id of the trace that the call belongs to; 0 when the caller has not sent it.</summary>
    public ulong TraceId => _headers.Ids.TraceId;

    /// <summary>The id of this call in its trace; 0 when the caller has not sent it.</summary>
    public ulong SpanId => _headers.Ids.SpanId;

    /// <summary>The id of the call that this one was made for; 0 when the caller has not sent it.</summary>
    public ulong ParentId => _headers.Ids.ParentId;

    /// <summary>Fires when the job is cancelled. Made when the handler first asks for it.</summary>
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

    /// <summary>Reads the next chunk if it is here already.</summary>
    /// <param name="chunk">The chunk; its bytes are valid until the next read.</param>
    /// <exception cref="InvalidOperationException">The job has ended.</exception>
    public bool TryRead(out ReadOnlyMemory<byte> chunk)
    {
        using ReadScope scope = EnterAsReader();
        return TryTake(out chunk);
    }

    /// <summary>The next chunk, or null at the end of the request. Its bytes are valid until the next read.</summary>
    /// <exception cref="JobCancelledException">The job was cancelled.</exception>
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

            if (Cancellation is { } cancellation)
            {
                return ValueTask.FromException<ReadOnlyMemory<byte>?>(cancellation);
            }

            if (IsEnded)
            {
                return default;
            }

            // All chunks were read, and the last one is no longer needed: the buffer starts over.
            _chunks.StartOver();
            _waiter.Reset();
            _waiting = _reading = true;
            return new ValueTask<ReadOnlyMemory<byte>?>(this, _waiter.Version);
        }
    }

    /// <summary>The whole request, once the caller has closed its side.</summary>
    /// <exception cref="JobCancelledException">The job was cancelled.</exception>
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
        _reading &= _waiter.GetStatus(token) == ValueTaskSourceStatus.Pending;
        return _waiter.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<ReadOnlyMemory<byte>?>.GetStatus(short token) => _waiter.GetStatus(token);

    void IValueTaskSource<ReadOnlyMemory<byte>?>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _waiter.OnCompleted(continuation, state, token, flags);

    /// <summary>The received and unread bytes, as one piece.</summary>
    internal ReadOnlyMemory<byte> Whole()
    {
        using (EnterAsReader())
        {
            ReadOnlyMemory<byte> whole = _chunks.TakeAll();
            OnRead(whole.Length);
            return whole;
        }
    }

    /// <summary>The whole request, where it lies. On the loop, which takes no message until the handler has returned.</summary>
    internal ReadOnlySpan<byte> Borrow() => _chunks.Borrow();

    /// <summary>A chunk has come that may stay in the ring until <see cref="Keep"/>; of a request that is read as a whole.</summary>
    internal void Lend(scoped in Payload data) => _chunks.Lend(in data);

    /// <summary>The ring's room is given back.</summary>
    internal void Keep() => _chunks.Keep();

    internal void Begin(ulong channel, string name, ReadOnlySpan<byte> headers, bool isStream)
    {
        Event = name;
        (_isEnded, _givenUp) = (false, null);
        _unread.Begin(channel, isStream);
        _headers.Set(headers);
        _isOver = false;
    }

    /// <summary>A chunk has come. On the loop, like all members below.</summary>
    internal void Add(scoped in Payload data)
    {
        using ReadScope scope = EnterAsLoop();
        _chunks.Add(in data);
        LookAtRead();
        _unread.OnAdded(data.Length, _chunks.WaitingBytes, this);
    }

    /// <summary>The caller's side is closed.</summary>
    internal void Complete()
    {
        using ReadScope scope = EnterAsLoop();
        _isEnded = true;
        LookAtRead();
    }

    internal void Cancel(JobCancelledException error)
    {
        using (EnterAsLoop())
        {
            _givenUp ??= error;
            LookAtRead();
        }

        try
        {
            _cancellation?.Cancel();
        }
        catch (Exception failure)
        {
            FailureText.Print(failure); // the failure of a callback of the app: the loop continues
        }
    }

    /// <summary>The waiting read may have its chunk or its end: its handler continues here, on the loop.</summary>
    void IHandlerWait.Continue()
    {
        _isReady = false;
        ReadOnlyMemory<byte>? chunk = null;
        using (EnterAsLoop())
        {
            if (!_waiting)
            {
                return;
            }

            if (_chunks.TryTake(out ReadOnlyMemory<byte> taken))
            {
                chunk = taken;
                OnRead(taken.Length);
            }
            else if (!_isEnded && _givenUp is null)
            {
                return;
            }

            _waiting = false;
        }

        Wake(chunk, chunk is null ? Cancellation : null);
    }

    void ILongRequest.LookAtUnread()
    {
        using ReadScope scope = EnterAsLoop();
        _unread.Look(_chunks.WaitingBytes, isOver: _isOver || _isEnded || IsCancelled);
    }

    /// <summary>Carries out the go-on of a reader on another thread.</summary>
    internal void TellGoOn()
    {
        using ReadScope scope = EnterAsLoop();
        _unread.TellGoOn();
    }

    /// <summary>The handler has ended: nobody reads the rest.</summary>
    internal void Drop()
    {
        using ReadScope scope = EnterAsLoop();
        _unread.Forget();
        OnRead(_chunks.TakeAll().Length);
    }

    /// <summary>The job is over: later reads throw. False when a read was forgotten, so that some code still has this object.</summary>
    internal bool End()
    {
        _isOver = true;
        Drop();
        return !_reading;
    }

    internal void Reset()
    {
        _chunks.Reset();
        _cancellation = null;
    }

    private bool TryTake(out ReadOnlyMemory<byte> chunk)
    {
        bool any = _chunks.TryTake(out chunk);
        OnRead(chunk.Length);
        return any;
    }

    private void OnRead(int bytes) => _unread.OnRead(bytes, _chunks.WaitingBytes, _isEnded, _holders.IsOnLoop);

    private void LookAtRead()
    {
        if (!_isReady && _waiting)
        {
            _ready.Add(this);
            _isReady = true;
        }
    }

    /// <summary>Ends the waiting read: its handler continues here, on the loop.</summary>
    private void Wake(ReadOnlyMemory<byte>? chunk, Exception? failure)
    {
        _holders.EnterHandler();
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
            FailureText.Print(thrown); // from an awaiter of the app itself; the exceptions of an async method stay in its task
        }

        _holders.LeaveHandler();
    }

    private ReadScope EnterAsLoop() => new(_holders.Sharing == Sharing.Anybody ? _lock : null);

    private ReadScope EnterAsReader()
    {
        if (_isOver)
        {
            throw new InvalidOperationException("the job has ended: its request is not there any more");
        }

        bool isOnLoop = _holders.IsOnLoop;
        if (!isOnLoop)
        {
            _holders.ThrowIfPrivate();
        }

        return new ReadScope(isOnLoop && _holders.Sharing != Sharing.Anybody ? null : _lock);
    }
}
