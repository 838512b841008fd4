using System.Globalization;
using System.Text;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Rings;

namespace Cocaine.Fast.Worker.Serving;

/// <summary>
/// The worker's side of docs/worker-protocol.md over any sink: channels, handlers, terminate. It belongs to the thread that made it, the
/// loop's; whoever drives it feeds messages in, calls <see cref="StartPending"/> after each batch and shows what was written to the node.
/// Other threads have <see cref="Inbox"/>.
/// </summary>
internal sealed class WorkerSession
{
    /// <summary>Answers that wait for room in the pipe, from which <see cref="Response.WriteAsync"/> waits.</summary>
    private const int HighBacklogBytes = 1 << 20;


    private readonly AppHost _app;
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly ChannelTable<WorkerChannel> _channels = new();
    private readonly List<WorkerChannel> _pending = [];
    private TaskCompletionSource? _room;
    private volatile WorkerChannel? _handling; // whose handler was started and has not come back; read by reports
    private ulong _newest = MessageWriter.ControlChannel; // the channel opened last: invokes come with increasing numbers

    public WorkerSession(AppHost app, Doorbell bell)
    {
        _app = app;
        Inbox = new LoopInbox(bell);
    }

    /// <summary>The calls of other threads.</summary>
    public LoopInbox Inbox { get; }

    /// <summary>The calling thread is the loop's.</summary>
    public bool IsOnLoop => Environment.CurrentManagedThreadId == _thread;

    /// <summary>Where messages to the node are written. Set by the driver before the first message.</summary>
    public MessageSink Sink { get; set; } = null!;

    /// <summary>How much waits for room in <see cref="Sink"/>. Set by the driver.</summary>
    public Func<long> Backlog { get; set; } = static () => 0;

    /// <summary>
    /// Called between the handlers of a batch, so that slow ones do not keep the answers of those before them. Set by the driver.
    /// </summary>
    public Action BetweenHandlers { get; set; } = static () => { };

    /// <summary>The node asked us to end.</summary>
    public bool IsTerminating { get; private set; }

    /// <summary>The node asked us to end, and every job is done.</summary>
    public bool IsDone => IsTerminating && _channels.Count == 0;

    public bool HasRoom => Backlog() < HighBacklogBytes;

    /// <summary>
    /// A handler waited for room and there is some now: <see cref="StartPending"/> lets it go on, so its driver must not park.
    /// </summary>
    public bool HasWaiterWithRoom => (_room is not null || Inbox.IsSlow) && HasRoom;

    /// <summary>Takes every message of a batch. Returns what is wrong with it, or null.</summary>
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

    /// <summary>Starts the handlers whose messages have come; a handler whose request came whole finds it whole.</summary>
    public void StartPending()
    {
        int kept = 0;
        for (int i = 0; i < _pending.Count; i++)
        {
            WorkerChannel channel = _pending[i];
            if (channel.Event.NeedsWhole && !channel.NodeEnded)
            {
                _pending[kept++] = channel; // those that go on waiting keep their order
                continue;
            }

            Start(channel);
            if (i + 1 < _pending.Count)
            {
                BetweenHandlers();
            }
        }

        _pending.RemoveRange(kept, _pending.Count - kept);
        bool hasRoom = HasRoom;
        if (_room is not null && hasRoom)
        {
            TaskCompletionSource room = _room;
            _room = null;
            room.SetResult();
        }

        Inbox.Settle(hasRoom);
    }

    /// <summary>Does what other threads have asked for. True when there was anything.</summary>
    public bool DoPosted() => Inbox.HasCalls && Inbox.Run(this);

    public void WriteChunk(ulong channel, ReadOnlySpan<byte> chunk)
    {
        if (Inbox.HasCalls)
        {
            DoPosted(); // what the handler wrote from another thread before it came back here
        }

        MessageWriter.WriteChunk(Sink, channel, new Payload(chunk), bin: true);
    }

    public void WriteError(ulong channel, int category, int code, string text) =>
        MessageWriter.WriteError(Sink, channel, category, code, text);

    public void WriteClose(ulong channel) => MessageWriter.WriteClose(Sink, channel);

    /// <summary>Ends when the node has made room. On the loop.</summary>
    public Task WaitForRoomAsync(WorkerChannel channel)
    {
        channel.Share(); // the task is one for all that wait: who goes on by it is not counted
        return (_room ??= new TaskCompletionSource()).Task;
    }

    /// <summary>The loop ends: handlers that still wait are told so, and later calls of other threads throw.</summary>
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
    internal void OnHandlerDone(WorkerChannel channel)
    {
        if (IsOnLoop)
        {
            DoPosted(); // what it wrote from other threads
            Finish(channel);
        }
        else
        {
            _ = Inbox.TryPost(new LoopCall(LoopCallKind.Finish, channel, channel.Number)); // a loop that has ended has no jobs
        }
    }

    /// <summary>A call of another thread.</summary>
    internal void Execute(in LoopCall call)
    {
        WorkerChannel channel = call.Channel;
        if (channel.Number != call.Number || channel.Ended)
        {
            return; // its job has ended meanwhile
        }

        if (call.Kind == LoopCallKind.Finish)
        {
            channel.Share();
            Finish(channel);
        }
        else
        {
            channel.Response.Execute(in call);
        }
    }

    /// <summary>The handler's task is done: its outcome becomes our terminal message.</summary>
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

        channel.Ended = true;
        if (channel.NodeEnded)
        {
            Release(channel);
        }
    }

    /// <summary>
    /// The running jobs, a line each; from any thread, while the loop may be changing it: what is torn is left out.
    /// </summary>
    public string Describe()
    {
        const int MostLines = 64; // a log keeps a slave's last lines; more jobs than this say nothing more
        StringBuilder text = new();
        try
        {
            List<WorkerChannel> channels = _channels.ToList();
            long now = Environment.TickCount64;
            foreach (WorkerChannel channel in channels.Where(channel => !channel.Ended).Take(MostLines))
            {
                string what = channel == _handling ? "runs on the slave's thread"
                    : channel.StartedMs == 0 ? "waits to be started" : "awaits something";
                long ms = channel.StartedMs == 0 ? 0 : now - channel.StartedMs;
                string name = channel.Event.Name;
                text.Append(CultureInfo.InvariantCulture, $"  event '{name}', channel {channel.Number}: {what}, for {ms} ms\n");
            }

            text.Append(CultureInfo.InvariantCulture, $"  {channels.Count} jobs in all");
        }
        catch (Exception torn)
            when (torn is InvalidOperationException or NullReferenceException or IndexOutOfRangeException or ArgumentException)
        {
            text.Append("  (the list of jobs changed while it was read)");
        }

        return text.ToString();
    }

    private void Open(in MessageView message)
    {
        ulong number = message.Layout.Channel;
        if (_app.Find(message.ShortData) is not { } known)
        {
            string name = Encoding.UTF8.GetString(message.ShortData);
            WriteError(number, ErrorCodes.Category, ErrorCodes.NotFound, $"there is no event '{name}' in app '{_app.Context.AppName}'");
            return; // the node's own terminal message comes later and finds nobody
        }

        WorkerChannel channel = known.Free.Count > 0 ? known.Free.Pop() : new WorkerChannel(this);
        channel.Begin(number, known, message.Headers);
        _channels.Add(number, channel);
        _pending.Add(channel);
    }

    private void Start(WorkerChannel channel)
    {
        channel.StartedMs = Environment.TickCount64;
        if (channel.Request.IsCancelled)
        {
            Fail(channel, new OperationCanceledException("the job was cancelled"));
            channel.Ended = true;
            Release(channel);
            return;
        }

#pragma warning disable CA2012 // stored here once, consumed once, in Finish
        channel.EnterHandler();
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
        channel.LeaveHandler();
#pragma warning restore CA2012

        if (channel.Running.IsCompleted)
        {
            OnHandlerDone(channel);
        }
        else
        {
            // Not by a context: OnHandlerDone itself looks where it is.
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
            channel.Event.Free.Push(channel);
        }
    }
}
