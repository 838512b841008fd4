using System.Text;
using System.Threading.Tasks.Sources;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Worker;

/// <summary>
/// A job's request, chunk by chunk. Valid while its handler runs; used from the slave's thread, where continuations come back to.
/// </summary>
public sealed class Request : IValueTaskSource<ReadOnlyMemory<byte>?>
{
    /// <summary>A larger buffer is given up between jobs, so that one large request does not stay in memory.</summary>
    private const int MaxKeptBytes = 64 << 10;

    private byte[] _buffer = new byte[512];
    private int _length;
    private int _firstChunk;            // index of the first chunk not read
    private readonly List<(int Offset, int Length)> _chunks = [];
    private ManualResetValueTaskSourceCore<ReadOnlyMemory<byte>?> _waiter;
    private bool _waiting;
    private byte[] _headers = [];
    private int _headersLength;
    private CancellationTokenSource? _cancellation;

    internal Request()
    {
    }

    /// <summary>The event that was called.</summary>
    public string Event { get; private set; } = "";

    /// <summary>The caller has closed its side: no more chunks than those already here will come.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>The job was cancelled: its answer is not wanted any more.</summary>
    public bool IsCancelled { get; private set; }

    /// <summary>The invoke's headers as they came: an encoded MessagePack array.</summary>
    public ReadOnlySpan<byte> Headers => _headers.AsSpan(0, _headersLength);

    /// <summary>The invoke's headers, decoded; a trace id that the caller did not send is eight zero bytes.</summary>
    public IReadOnlyList<(string Name, byte[] Value)> ReadHeaders()
    {
        List<(string Name, byte[] Value)> all = [];
        HeaderSet set = new() { Seen = (name, value) => all.Add((Encoding.UTF8.GetString(name), value.ToArray())) };
        _ = HeaderReader.Decode(Headers, new HeaderTable(), set, ProtocolLimits.Default); // what is wrong in them is left out
        return all;
    }

    /// <summary>Fires when the job is cancelled. Made when it is first asked for.</summary>
    public CancellationToken Cancelled
    {
        get
        {
            _cancellation ??= new CancellationTokenSource();
            if (IsCancelled)
            {
                _cancellation.Cancel();
            }

            return _cancellation.Token;
        }
    }

    /// <summary>The next chunk when it is here already.</summary>
    /// <param name="chunk">Its bytes, valid until the next read.</param>
    public bool TryRead(out ReadOnlyMemory<byte> chunk)
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

    /// <summary>The next chunk, or null at the end of the request. Its bytes are valid until the next read.</summary>
    /// <exception cref="OperationCanceledException">The job was cancelled.</exception>
    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync()
    {
        if (TryRead(out ReadOnlyMemory<byte> chunk))
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
        _waiting = true;
        return new ValueTask<ReadOnlyMemory<byte>?>(this, _waiter.Version);
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
        while (await ReadAsync() is { } chunk)
        {
            all.Write(chunk.Span);
        }

        return all.ToArray();
    }

    ReadOnlyMemory<byte>? IValueTaskSource<ReadOnlyMemory<byte>?>.GetResult(short token) => _waiter.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ReadOnlyMemory<byte>?>.GetStatus(short token) => _waiter.GetStatus(token);

    void IValueTaskSource<ReadOnlyMemory<byte>?>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        // The slave's thread completes it, where its context would bring the handler's rest too: going on at once needs no object.
        _waiter.OnCompleted(continuation, state, token, flags & ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext);
    }

    /// <summary>What has come and was not read, as one piece.</summary>
    internal ReadOnlyMemory<byte> Whole()
    {
        int start = _firstChunk < _chunks.Count ? _chunks[_firstChunk].Offset : _length;
        _firstChunk = _chunks.Count;
        return _buffer.AsMemory(start, _length - start);
    }

    internal void Begin(string name, ReadOnlySpan<byte> headers)
    {
        Event = name;
        IsEnded = IsCancelled = false;
        if (_headers.Length < headers.Length)
        {
            _headers = new byte[headers.Length];
        }

        headers.CopyTo(_headers);
        _headersLength = headers.Length;
    }

    internal void Add(scoped in Payload data)
    {
        if (_buffer.Length - _length < data.Length)
        {
            // A new array, not a rented one: the handler may still hold a chunk of the old one.
            byte[] larger = new byte[Math.Max(_buffer.Length * 2, checked(_length + data.Length))];
            _buffer.AsSpan(0, _length).CopyTo(larger);
            _buffer = larger;
        }

        data.CopyTo(_buffer.AsSpan(_length));
        _chunks.Add((_length, data.Length));
        _length += data.Length;
        if (_waiting && TryRead(out ReadOnlyMemory<byte> chunk))
        {
            _waiting = false;
            _waiter.SetResult(chunk);
        }
    }

    internal void End()
    {
        IsEnded = true;
        if (_waiting)
        {
            _waiting = false;
            _waiter.SetResult(null);
        }
    }

    internal void Cancel()
    {
        IsCancelled = true;
        _cancellation?.Cancel();
        if (_waiting)
        {
            _waiting = false;
            _waiter.SetException(new OperationCanceledException("the job was cancelled"));
        }
    }

    internal void Reset()
    {
        _chunks.Clear();
        _firstChunk = _length = 0;
        _waiting = false;
        _cancellation?.Dispose();
        _cancellation = null;
        if (_buffer.Length > MaxKeptBytes)
        {
            _buffer = new byte[512];
        }
    }
}
