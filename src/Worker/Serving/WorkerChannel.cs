namespace Cocaine.Fast.Worker.Serving;

/// <summary>One job on this worker. Pooled by its session.</summary>
internal sealed class WorkerChannel(WorkerSession session)
{
    public ulong Number { get; set; }

    public AppEvent Event { get; set; } = null!;

    public Request Request { get; } = new();

    public Response Response { get; } = new(session);

    /// <summary>The handler was started.</summary>
    public bool Started { get; set; }

    /// <summary>The handler has returned or failed, and our terminal message is written.</summary>
    public bool Ended { get; set; }

    /// <summary>The node has sent its terminal message.</summary>
    public bool NodeEnded { get; set; }

    /// <summary>The handler's task, while it waits for something.</summary>
    public ValueTask Running { get; set; }

    /// <summary>Goes on when <see cref="Running"/> is done. Made once a channel, so that a job makes none.</summary>
    public Action Continue => _continue ??= () => session.OnHandlerDone(this);

    /// <summary>The same as work for the slave's thread, for a handler that was done on another one.</summary>
    public SendOrPostCallback Finish => _finish ??= _ => session.Finish(this);

    private Action? _continue;
    private SendOrPostCallback? _finish;
}
