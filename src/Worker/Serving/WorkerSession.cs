using System.Text;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Rings;

namespace Cocaine.Fast.Worker.Serving;

/// <summary>
/// The worker's side of docs/worker-protocol.md over any sink: channels, handlers, terminate. The session belongs to the thread that made
/// it, the loop's. Its driver feeds messages in, calls <see cref="StartPending"/> after each batch and shows the written messages to the
/// node. Other threads use <see cref="Inbox"/>.
/// </summary>
internal sealed class WorkerSession
{
    private readonly AppHost _app;
    private readonly AnswerWriter _answers;
    private readonly UnreadBytes _unread;
    private readonly ChannelTable<WorkerChannel> _channels = new();
    private readonly List<WorkerChannel> _pending = [];
    private readonly Stack<WorkerChannel>[] _free; // by event: a handler that keeps its response is no danger to other events
    private readonly BeginGate? _gate;
    private bool _isHeldBack;    // the gate let not all begin that could
    private volatile WorkerChannel? _handling; // the channel whose handler was started and has not come back; reports read it
    private ulong _newest = MessageWriter.ControlChannel; // the newest channel: invokes come with increasing numbers

    /// <param name="app">Has the handlers.</param>
    /// <param name="bell">Wakes the loop.</param>
    /// <param name="sink">Gets the messages to the node.</param>
    /// <param name="backlog">The number of bytes that wait for room in the sink.</param>
    /// <param name="gate">Says what may begin; null when everything may.</param>
    public WorkerSession(AppHost app, Doorbell bell, MessageSink sink, Func<long> backlog, BeginGate? gate = null)
    {
        _app = app;
        _gate = gate;
        Inbox = new LoopInbox(bell, Execute);
        _answers = new AnswerWriter(sink, backlog, Inbox, gate is null ? static () => { } : gate.OnEnd);
        _unread = new UnreadBytes(Inbox);
        _free = new Stack<WorkerChannel>[app.EventCount];
        for (int i = 0; i < _free.Length; i++)
        {
            _free[i] = new Stack<WorkerChannel>();
        }
    }

    /// <summary>Calls of other threads.</summary>
    public LoopInbox Inbox { get; }

    /// <summary>
    /// Called between the handlers of a batch, so that slow handlers do not delay the answers of those before them. Set by the driver.
    /// </summary>
    public Action BetweenHandlers { get; set; } = static () => { };

    /// <summary>The node asked this worker to end.</summary>
    public bool IsTerminating { get; private set; }

    /// <summary>The node asked this worker to end, and every job is done.</summary>
    public bool IsDone => IsTerminating && _channels.Count == 0;

    /// <summary>
    /// A handler waited for room and there is room now: <see cref="StartPending"/> lets the handler continue, so the driver must not park.
    /// </summary>
    public bool HasWaiterWithRoom => _answers.HasWaiterWithRoom;

    /// <summary>A job was not begun because as many ran as may, and one of them has ended since.</summary>
    public bool HasHeldBackWithRoom => _isHeldBack && _gate is { HasRoom: true, AwaitsRecall: false };

    /// <summary>The node takes jobs back: nothing begins until its message is read.</summary>
    public bool AwaitsRecall => _gate is { AwaitsRecall: true };

    /// <summary>
    /// Says whether handlers have so much to read that the driver must take no more from the node. The bell rings when a handler has read
    /// enough on another thread.
    /// </summary>
    public bool IsFull() => _unread.IsFull();

    /// <summary>Takes every message of a batch. Returns the mistake in it, or null.</summary>
    public string? TakeAll(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            DecodeStatus status = MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout layout);
            if (status != DecodeStatus.Ok)
            {
                return layout.Problem ?? "a record that ends within a message";
            }

            Take(new MessageView(in layout, bytes));
            bytes = bytes[layout.TotalBytes..];
        }

        return null;
    }

    /// <summary>Takes one message.</summary>
    public void Take(in MessageView message)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        if (layout.Channel == MessageWriter.ControlChannel)
        {
            IsTerminating |= layout.Type == ControlType.Terminate;
            if (layout is { Type: ControlType.Recall, Shape: ArgumentShape.CodeText })
            {
                OnRecall(layout.Code, layout.Number);
            }

            return;
        }

        if (!_channels.TryGet(layout.Channel, out WorkerChannel? channel))
        {
            if (layout.Channel > _newest && layout is { Type: MessageType.Chunk, Shape: ArgumentShape.Data })
            {
                _newest = layout.Channel;
                Open(in message);
            }

            return; // late: the job has ended here already
        }

        switch (layout.Type)
        {
            case MessageType.Chunk when layout.Shape == ArgumentShape.Data:
                if (!channel.Ended)
                {
                    channel.Request.Add(message.Data);
                }

                break;
            case MessageType.Error:
                channel.NodeEnded = true;
                channel.Request.Cancel();
                EndedByNode(channel);
                break;
            case MessageType.Close:
                channel.NodeEnded = true;
                channel.Request.Complete();
                EndedByNode(channel);
                break;
        }
    }

    /// <summary>Starts the handlers whose messages have come; a handler that needs its request as a whole gets it as a whole.</summary>
    public void StartPending()
    {
        int kept = 0;
        _isHeldBack = false;
        for (int i = 0; i < _pending.Count; i++)
        {
            WorkerChannel channel = _pending[i];
            if (channel.Event.NeedsWhole && !channel.NodeEnded)
            {
                _pending[kept++] = channel; // handlers that still wait keep their order
                continue;
            }

            if (_isHeldBack || (_gate is not null && !_gate.TryBegin(channel.Number)))
            {
                _isHeldBack = true;
                _pending[kept++] = channel;
                continue;
            }

            Start(channel);
            if (i + 1 < _pending.Count)
            {
                BetweenHandlers();
            }
        }

        _pending.RemoveRange(kept, _pending.Count - kept);
        _answers.Settle();
    }

    /// <summary>Carries out the requests of other threads. True when there were any.</summary>
    public bool DoPosted() => Inbox.Run();

    /// <summary>The loop ends: waiting handlers get an error, and later calls of other threads throw.</summary>
    public void Close()
    {
        Inbox.Close();
        foreach (WorkerChannel channel in _channels.TakeAll())
        {
            channel.Request.Cancel();
            channel.End();
        }
    }

    /// <summary>A handler that had to wait is done, on this session's thread or on any other.</summary>
    private void OnHandlerDone(WorkerChannel channel)
    {
        if (Inbox.IsOnLoop)
        {
            DoPosted(); // first the handler's calls from other threads
            Finish(channel);
        }
        else
        {
            _ = Inbox.TryPost(new LoopCall(LoopCallKind.Finish, channel.Number)); // a loop that has ended has no jobs
        }
    }

    /// <summary>A call of another thread.</summary>
    private void Execute(in LoopCall call)
    {
        if (!_channels.TryGet(call.Channel, out WorkerChannel? channel) || channel.Ended)
        {
            return; // its job has ended meanwhile
        }

        if (call.Kind == LoopCallKind.Finish)
        {
            channel.Holders.Share();
            Finish(channel);
        }
        else
        {
            channel.Response.Execute(in call);
        }
    }

    /// <summary>The handler's task is done: its outcome becomes this worker's terminal message.</summary>
    private void Finish(WorkerChannel channel)
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
            Release(channel);
        }
    }

    /// <summary>The running jobs, a line for each; from any thread.</summary>
    public string Describe() => JobReport.Describe(_channels, _handling);

    private void Open(in MessageView message)
    {
        ulong number = message.Layout.Channel;
        if (_app.Find(message.ShortData) is not { } known)
        {
            string name = Encoding.UTF8.GetString(message.ShortData);
            string reason = $"there is no event '{name}' in app '{_app.Context.AppName}'";
            _answers.Refuse(number, ErrorCodes.NotFound, reason);
            return; // the node's own terminal message comes later and is dropped
        }

        WorkerChannel channel = _free[known.Index].TryPop(out WorkerChannel? free) ? free
            : new WorkerChannel(Inbox, _answers, _unread, OnHandlerDone);
        channel.Begin(number, known, message.Headers);
        _channels.Add(number, channel);
        _pending.Add(channel);
    }

    /// <summary>The node takes back what this worker has not begun, from a channel on.</summary>
    private void OnRecall(int count, ulong from)
    {
        foreach (WorkerChannel channel in _pending.FindAll(channel => channel.Number >= from))
        {
            _pending.Remove(channel);
            channel.EndOurs();
            Release(channel);
        }

        _gate?.OnRecall(count);
    }

    private void Start(WorkerChannel channel)
    {
        channel.StartedMs = Environment.TickCount64;
        if (channel.Request.IsCancelled)
        {
            Fail(channel, new OperationCanceledException("the job was cancelled"));
            channel.EndOurs();
            Release(channel);
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
            OnHandlerDone(channel);
        }
        else
        {
            // Without a context: OnHandlerDone itself checks its thread.
            channel.Running.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(channel.Continue);
        }
    }

    private void EndedByNode(WorkerChannel channel)
    {
        if (channel.Ended)
        {
            Release(channel);
        }
    }

    private void Fail(WorkerChannel channel, Exception failure)
    {
        if (failure is not OperationCanceledException)
        {
            FailureText.Print(failure);
        }

        if (!channel.Response.TerminalWritten)
        {
            channel.Response.WriteError(ErrorCodes.Category, ErrorCodes.AppError, FailureText.Reason(failure));
        }
    }

    private void Release(WorkerChannel channel)
    {
        if (_channels.Remove(channel.Number, out _))
        {
            channel.End();
            _free[channel.Event.Index].Push(channel);
        }
    }
}
