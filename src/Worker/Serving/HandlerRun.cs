using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Worker.Serving;

/// <summary>Runs handlers, and makes their outcomes the terminal messages of their channels.</summary>
/// <param name="seat">Knows the loop's thread.</param>
/// <param name="inbox">The calls of other threads.</param>
/// <param name="channels">Gets the channels that have ended.</param>
internal sealed class HandlerRun(LoopSeat seat, LoopInbox inbox, WorkerChannels channels)
{
    private volatile WorkerChannel? _handling;

    /// <summary>The channel whose handler was started last and has not come back; from any thread.</summary>
    public WorkerChannel? Handling => _handling;

    /// <summary>Starts a handler. On the loop.</summary>
    /// <exception cref="LoopOverException">The handler waited, and the loop has ended meanwhile.</exception>
    public void Start(WorkerChannel channel)
    {
        channel.StartedMs = Environment.TickCount64;
        if (channel.Request.Cancellation is { } cancellation)
        {
            Fail(channel, cancellation);
            channel.EndOurs();
            channels.Release(channel);
            return;
        }

#pragma warning disable CA2012 // stored here once, and consumed once in Finish
        channel.Holders.EnterHandler();
        _handling = channel;
        try
        {
            channel.Running = channel.Event.Handle(channel.Request, channel.Response);
        }
        catch (Exception failure)
        {
            channel.Running = ValueTask.FromException(failure);
        }

        _handling = null;
        channel.Holders.LeaveHandler();
#pragma warning restore CA2012

        if (channel.Running.IsCompleted)
        {
            OnDone(channel);
        }
        else
        {
            // Without a context: OnDone itself checks its thread.
            channel.Running.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(channel.Continue);
        }

        seat.ThrowIfOver();
    }

    /// <summary>A handler that had to wait is done, on this session's thread or on any other.</summary>
    public void OnDone(WorkerChannel channel)
    {
        if (inbox.IsOnLoop)
        {
            inbox.Run(); // first the handler's calls from other threads
            Finish(channel);
        }
        else
        {
            _ = inbox.TryPost(new LoopCall(LoopCallKind.Finish, channel.Number)); // a loop that has ended has no jobs
        }
    }

    /// <summary>The handler's task is done: its outcome becomes this worker's terminal message.</summary>
    public void Finish(WorkerChannel channel)
    {
        ValueTask running = channel.Running;
        channel.Running = default;
        try
        {
            running.GetAwaiter().GetResult();
            channel.Response.WriteClose();
        }
        catch (Exception failure)
        {
            Fail(channel, failure);
        }

        channel.EndOurs();
        if (channel.NodeEnded)
        {
            channels.Release(channel);
        }
    }

    private static void Fail(WorkerChannel channel, Exception failure)
    {
        if (failure is not OperationCanceledException)
        {
            FailureText.Print(failure);
        }

        if (!channel.Response.TerminalWritten)
        {
            int code = failure is ChunkTooLongException ? ErrorCodes.TooLarge : ErrorCodes.AppError;
            channel.Response.WriteError(ErrorCodes.Category, code, FailureText.Reason(failure));
        }
    }
}
