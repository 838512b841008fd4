using System.Threading.Tasks.Sources;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Client;

/// <summary>One call with a streamed request and a streamed answer; a <see cref="ClientCall"/> is a handle of it.</summary>
/// <remarks>
/// There are three sides: the loop, one reader and one writer. Reader and loop share the chunks and the end under a lock, which is held at
/// most for one copy of a chunk; the writer's next write waits for the one before.
/// </remarks>
internal sealed class StreamCall : CallBase
{
    private readonly Lock _lock = new();
    private readonly ChunkBuffer _chunks = new();   // under the lock, except in TryTake
    private readonly Action<StreamCall> _giveBack;
    private readonly ReadSignal _reading;
    private readonly EndSignal _ending;
    private readonly StreamWrite _write;
    private readonly EndWork _end;
    private readonly LetGoWork _letGo;
    private Exception? _failure;   // valid once _ended; under the lock
    private bool _ended;           // under the lock: the loop is done with the call
    private bool _waiting;         // under the lock: a reader waits
    private bool _holding;         // written by the loop, set under the lock: this call's reader is behind

    /// <param name="connection">Carries the call.</param>
    /// <param name="runInline">The caller continues on the loop.</param>
    /// <param name="giveBack">Called when the call's object may serve another call.</param>
    public StreamCall(ClientConnection connection, bool runInline, Action<StreamCall> giveBack)
        : base(connection)
    {
        _giveBack = giveBack;
        _reading = new ReadSignal(this, runInline);
        _ending = new EndSignal(this, runInline);
        _write = new StreamWrite(connection, runInline, WriteOne);
        _end = new EndWork(this);
        _letGo = new LetGoWork(this);
    }

    /// <summary>Counts the uses, so that a handle of an earlier use is recognized.</summary>
    public int Use { get; private set; }

    /// <summary>The reader's present chunk.</summary>
    public ReadOnlyMemory<byte> Current { get; private set; }

    public void Open(byte[] name, in CallOptions options, CancellationToken cancellation) => Post(name, in options, cancellation);

    public ValueTask WriteAsync(ReadOnlyMemory<byte> chunk) => _write.Begin(chunk, isEnd: false);

    public ValueTask CompleteAsync() => _write.Begin(default, isEnd: true);

    /// <summary>Waits for the next chunk; false at the end.</summary>
    public ValueTask<bool> MoveNextAsync() => TryRead(out Exception? failure, out bool isEnd) switch
    {
        false => _reading.Task,
        _ when failure is not null => ValueTask.FromException<bool>(failure),
        _ => new ValueTask<bool>(!isEnd),
    };

    /// <summary>Waits for the next chunk; null at the end.</summary>
    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync() => TryRead(out Exception? failure, out bool isEnd) switch
    {
        false => _reading.ChunkTask,
        _ when failure is not null => ValueTask.FromException<ReadOnlyMemory<byte>?>(failure),
        _ => new ValueTask<ReadOnlyMemory<byte>?>(isEnd ? default(ReadOnlyMemory<byte>?) : Current),
    };

    /// <summary>Reads the next chunk if there is one. False when there is none yet: the wait for it has begun.</summary>
    private bool TryRead(out Exception? failure, out bool isEnd)
    {
        failure = null;
        isEnd = false;
        if (_chunks.TryTake(out ReadOnlyMemory<byte> chunk))
        {
            Current = chunk;
            if (_chunks.LeftToTake < FlowControl.LowBytes && Volatile.Read(ref _holding)) // an old value is right at the end of the chunks
            {
                CatchUp();
            }

            return true;
        }

        lock (_lock)
        {
            if (!_chunks.HasWaiting)
            {
                CatchUp();
                if (_ended)
                {
                    (failure, isEnd) = (_failure, true);
                    return true;
                }

                _reading.Begin();
                _waiting = true;
                return false;
            }
        }

        TakeWaiting();
        return true;
    }

    /// <summary>Ends the use: a call that has not ended is cancelled.</summary>
    public ValueTask EndAsync()
    {
        Use++;
        _ending.Begin();
        ValueTask done = _ending.VoidTask; // before the post, after which the signal belongs to another use
        Connection.Loop.Post(_end);
        return done;
    }

    protected override void OnData(in Payload data)
    {
        bool wake;
        bool isBehind;
        lock (_lock)
        {
            _chunks.Add(in data);
            wake = _waiting;
            _waiting = false;
            isBehind = !_holding && _chunks.UnreadBytes >= FlowControl.HighBytes;
            _holding |= isBehind;
        }

        if (isBehind)
        {
            Connection.HoldBack(Channel);
        }

        if (wake)
        {
            _reading.Complete(true, null);
        }
    }

    public override void OnHold(bool hold) => _write.OnHold(hold);

    /// <summary>On the loop: writes one message of the request. False when the call has ended.</summary>
    private bool WriteOne(ReadOnlyMemory<byte> chunk, bool isEnd)
    {
        if (Channel == 0)
        {
            return false;
        }

        if (isEnd)
        {
            WriteEnd(default);
        }
        else
        {
            try
            {
                WriteChunk(chunk.Span);
            }
            catch (Exception failure)
            {
                GiveUp(failure); // the chunk's memory is the caller's, as in CallBase.Run
                return false;
            }
        }

        Connection.ScheduleSend();
        return true;
    }

    protected override void OnFinished(Exception? failure)
    {
        bool wake;
        lock (_lock)
        {
            _ended = true;
            _failure = failure;
            wake = _waiting;
            _waiting = false;
        }

        LetGo();
        _write.OnEnded();
        if (wake)
        {
            _reading.Complete(false, failure);
        }
    }

    /// <summary>Reader: continues with the chunks that have come.</summary>
    private void TakeWaiting()
    {
        lock (_lock)
        {
            _chunks.Exchange();
            _chunks.TryTake(out ReadOnlyMemory<byte> chunk);
            Current = chunk;
            CatchUp();
        }
    }

    /// <summary>
    /// Reader: lets the answer go on when the reader is behind no longer. The reader comes here at the latest when it has taken all chunks
    /// that it may take without the lock, so that no held answer is forgotten.
    /// </summary>
    private void CatchUp()
    {
        lock (_lock)
        {
            if (!_holding || _chunks.UnreadBytes >= FlowControl.LowBytes)
            {
                return;
            }
        }

        _letGo.Post();
    }

    private void LetGo()
    {
        if (_holding)
        {
            Volatile.Write(ref _holding, false);
            Connection.LetGo(Channel);
        }
    }

    private void Recycle()
    {
        Current = default;
        if (_reading.IsIdle && _write.IsIdle)
        {
            _chunks.Clear();
            _ended = false;
            _failure = null;
            _giveBack(this);
        }
    }

    private sealed class ReadSignal(StreamCall call, bool runInline) : Signal<bool>(runInline), IValueTaskSource<ReadOnlyMemory<byte>?>
    {
        /// <summary>The same wait, for a caller that takes the chunk itself.</summary>
        public ValueTask<ReadOnlyMemory<byte>?> ChunkTask => new(this, Version);

        ReadOnlyMemory<byte>? IValueTaskSource<ReadOnlyMemory<byte>?>.GetResult(short token) =>
            Take(token) ? call.Current : default(ReadOnlyMemory<byte>?);

        protected override void OnTaken(bool result)
        {
            if (result)
            {
                call.TakeWaiting();
            }
        }
    }

    private sealed class EndSignal(StreamCall call, bool runInline) : Signal<bool>(runInline)
    {
        protected override void OnIdle() => call.Recycle();
    }

    /// <summary>The end of a use, on its way to the loop.</summary>
    private sealed class EndWork(StreamCall call) : LoopWork
    {
        public override void Run()
        {
            if (call.Channel != 0)
            {
                call.GiveUp(new OperationCanceledException("the call was disposed before its end"));
            }

            call._ending.Complete(true, null);
        }
    }

    /// <summary>The reader is behind no longer.</summary>
    private sealed class LetGoWork(StreamCall call) : LoopWork
    {
        private int _posted;

        public void Post()
        {
            if (Interlocked.Exchange(ref _posted, 1) == 0)
            {
                call.Connection.Loop.Post(this);
            }
        }

        public override void Run()
        {
            Volatile.Write(ref _posted, 0);
            call.LetGo();
        }
    }
}
