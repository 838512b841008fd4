using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Worker;

/// <summary>
/// A job's answer. Valid while its handler runs, on any thread; calls of one job must come one after the other. The answer is closed at the
/// latest when the handler ends.
/// </summary>
public sealed class Response
{
    /// <summary>Category of the app's own errors.</summary>
    private const int AppCategory = ErrorCodes.FrameworkCategory;

    private readonly JobHolders _holders;
    private readonly AnswerWriter _answers;
    private readonly LoopInbox _inbox;
    private readonly AnswerHold _hold;
    private ulong _channel;         // the channel's number; the job's from Begin on
    private volatile int _ended;    // 1: the answer takes no more calls, from any thread

    internal Response(JobHolders holders, AnswerWriter answers, LoopInbox inbox, AnswerHold hold)
    {
        _holders = holders;
        _answers = answers;
        _inbox = inbox;
        _hold = hold;
    }

    /// <summary>The answer is whole, or failed: it takes no more calls.</summary>
    public bool IsEnded => _ended != 0;

    /// <summary>The terminal message is written. Only the loop uses it.</summary>
    internal bool TerminalWritten { get; private set; }

    /// <summary>
    /// Sends a chunk. The chunk leaves when control returns to the slave's loop, or at once when many bytes wait. The call waits while the
    /// caller reads its answer too slowly; the slave's other handlers run meanwhile. On another thread than the loop's, the chunk is copied
    /// and waits for the loop: use <see cref="WriteAsync"/> there for large answers.
    /// </summary>
    /// <exception cref="InvalidOperationException">The answer has ended, or too many bytes wait for the loop.</exception>
    /// <exception cref="ChunkTooLongException">The chunk has more than 64 MiB.</exception>
    /// <exception cref="JobCancelledException">The job was cancelled while the call waited.</exception>
    public void Write(ReadOnlySpan<byte> chunk)
    {
        ThrowIfEnded();
        ChunkTooLongException.ThrowIf(chunk.Length);
        if (_holders.IsOnLoop)
        {
            if (_hold.IsHeld || _answers.MustLook)
            {
                _hold.WaitHere();
            }

            _answers.WriteChunk(_channel, chunk);
        }
        else
        {
            _hold.WaitElsewhere()?.GetAwaiter().GetResult();
            Post(LoopCallKind.Write, chunk.ToArray());
        }
    }

    /// <summary>Sends what a handler makes of a request that it reads where it lies. On the loop.</summary>
    internal void WriteAnswer(Request request, SpanHandler handler)
    {
        if (_hold.IsHeld || _answers.MustLook)
        {
            _hold.WaitHere(); // before the handler begins, because the request must stay where it is until the handler has ended
        }

        bool wasFixed = _hold.Fix(true);
        try
        {
            ReadOnlySpan<byte> answer = handler(request.Borrow());
            ChunkTooLongException.ThrowIf(answer.Length);
            _answers.WriteChunk(_channel, answer);
        }
        finally
        {
            _hold.Fix(wasFixed);
        }
    }

    /// <summary>Sends a chunk, and waits while the caller or the node takes chunks more slowly than they come.</summary>
    /// <exception cref="InvalidOperationException">The answer has ended.</exception>
    /// <exception cref="ChunkTooLongException">The chunk has more than 64 MiB.</exception>
    /// <exception cref="JobCancelledException">The job was cancelled while the call waited.</exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> chunk)
    {
        ThrowIfEnded();
        ChunkTooLongException.ThrowIf(chunk.Length);
        return _holders.IsOnLoop ? WriteOnLoop(chunk) : WriteElsewhere(chunk);
    }

    private ValueTask WriteOnLoop(ReadOnlyMemory<byte> chunk)
    {
        if (_answers.MustLook)
        {
            _hold.Look();
        }

        if (_hold.IsHeld)
        {
            _holders.Share(); // a task that another handler can wait for too: continuations are not counted
            return WriteLaterAsync(_hold.WaitAsTask(), chunk);
        }

        _answers.WriteChunk(_channel, chunk.Span);
        return _answers.HasRoom ? default : _hold.WaitForRoom();
    }

    private ValueTask WriteElsewhere(ReadOnlyMemory<byte> chunk)
    {
        if (_hold.WaitElsewhere() is { } held)
        {
            return WriteLaterAsync(held, chunk);
        }

        Post(LoopCallKind.Write, chunk.ToArray());
        return _inbox.WaitForRoom() is { } room ? new ValueTask(room) : default;
    }

    /// <summary>The answer is held: the chunk waits with its handler.</summary>
    private async ValueTask WriteLaterAsync(Task goOn, ReadOnlyMemory<byte> chunk)
    {
        await goOn.ConfigureAwait(false);
        await WriteAsync(chunk).ConfigureAwait(false);
    }

    /// <summary>Ends the answer with an error of the app's own.</summary>
    /// <param name="code">Any number; the category marks it as the app's.</param>
    /// <param name="text">The text for people; cut when it is longer than 4096 characters.</param>
    /// <exception cref="InvalidOperationException">The answer has ended.</exception>
    public void Error(int code, string text) => Error(code, text, AppCategory);

    /// <inheritdoc cref="Error(int, string)"/>
    /// <param name="code">Any number.</param>
    /// <param name="text">The text for people; cut when it is longer than 4096 characters.</param>
    /// <param name="category">The owner of the codes: 42 is usual for an app's own, 1000 is the node's.</param>
    public void Error(int code, string text, int category)
    {
        ThrowIfEnded();
        text = FailureText.Cut(text ?? "");
        if (!_holders.IsOnLoop)
        {
            Post(LoopCallKind.Error, null, code, text, category);
        }
        else
        {
            _inbox.Run();
            WriteError(category, code, text);
        }
    }

    /// <summary>Ends the answer.</summary>
    public void Close()
    {
        if (IsEnded)
        {
            return;
        }

        if (!_holders.IsOnLoop)
        {
            Post(LoopCallKind.Close, null);
        }
        else
        {
            _inbox.Run();
            WriteClose();
        }
    }

    /// <summary>Carries out a call of another thread; on the loop.</summary>
    internal void Execute(in LoopCall call)
    {
        if (TerminalWritten)
        {
            return;
        }

        switch (call.Kind)
        {
            case LoopCallKind.Write:
                _answers.WriteChunk(_channel, call.Data);
                break;
            case LoopCallKind.Error:
                WriteError(call.Category, call.Code, call.Text!);
                break;
            case LoopCallKind.Close:
                WriteClose();
                break;
        }
    }

    /// <summary>Ends the answer with an error, if it has not ended; on the loop.</summary>
    internal void WriteError(int category, int code, string text)
    {
        _ended = 1;
        if (!TerminalWritten)
        {
            TerminalWritten = true;
            _answers.WriteError(_channel, category, code, text);
        }
    }

    /// <summary>Ends the answer, if it has not ended; on the loop.</summary>
    internal void WriteClose()
    {
        _ended = 1;
        if (!TerminalWritten)
        {
            TerminalWritten = true;
            _answers.WriteClose(_channel);
        }
    }

    internal void Begin(ulong channel)
    {
        _channel = channel;
        TerminalWritten = false;
        _ended = 0;
    }

    /// <summary>The job is over.</summary>
    internal void End() => _ended = 1;

    // Not inlined: this is the rare way, and the usual one should stay short.
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private void Post(LoopCallKind kind, byte[]? data, int code = 0, string? text = null, int category = 0)
    {
        ulong channel = Volatile.Read(ref _channel); // before the look below: when a job ends right after it, this call is dropped
        ThrowIfEnded();
        _holders.ThrowIfPrivate();
        if (!_inbox.TryPost(new LoopCall(kind, channel, data, code, text, category)))
        {
            throw new InvalidOperationException("the slave has ended");
        }

        if (kind != LoopCallKind.Write)
        {
            _ended = 1;
        }
    }

    private void ThrowIfEnded()
    {
        if (_ended != 0)
        {
            throw new InvalidOperationException("the answer has ended: a handler's task must not end before all that writes its answer");
        }
    }
}
