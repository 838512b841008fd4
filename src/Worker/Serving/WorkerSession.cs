using System.Text;
using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Rings;

namespace Cocaine.Fast.Worker.Serving;

/// <summary>
/// The worker's side of docs/worker-protocol.md over any sink: channels, handlers, terminate. The session belongs to the loop, on any
/// thread that has its seat. Its driver feeds messages in, calls <see cref="StartPending"/> after each batch and shows the written messages
/// to the node. Other threads use <see cref="Inbox"/>.
/// </summary>
internal sealed class WorkerSession
{
    private readonly AppHost _app;
    private readonly AnswerWriter _answers;
    private readonly UnreadBytes _unread;
    private readonly WorkerChannels _channels;
    private readonly PendingChannels _pending;
    private readonly HandlerRun _handlers;
    private readonly Action<WorkerChannel> _start;
    private readonly BeginGate? _gate;
    private readonly ReadyHandlers _ready = new();
    private readonly BlockPool _blocks = new();
    private readonly LoopSeat _seat;
    private readonly List<WorkerChannel> _lent = []; // channels whose requests may lie in the ring; empty without one
    private bool _lends; // the bytes of this batch stay until Keep
    private ulong _newest = MessageWriter.ControlChannel; // the newest channel: invokes come with increasing numbers

    /// <param name="app">Has the handlers.</param>
    /// <param name="bell">Wakes the loop.</param>
    /// <param name="sink">Gets the messages to the node.</param>
    /// <param name="backlog">The number of bytes that wait for room in the sink.</param>
    /// <param name="seat">Knows the loop's thread.</param>
    /// <param name="gate">Says which handlers may begin; null when all may.</param>
    public WorkerSession(AppHost app, Doorbell bell, MessageSink sink, Func<long> backlog, LoopSeat seat, BeginGate? gate = null)
    {
        _app = app;
        _gate = gate;
        _seat = seat;
        _pending = new PendingChannels(gate);
        Inbox = new LoopInbox(bell, seat, Execute);
        _answers = new AnswerWriter(sink, backlog, Inbox, _ready, gate is null ? static () => { } : gate.OnEnd);
        _unread = new UnreadBytes(Inbox, _answers.WriteFlow);
        _channels = new WorkerChannels(app.EventCount, MakeChannel);
        _handlers = new HandlerRun(seat, Inbox, _channels);
        _start = _handlers.Start;
    }

    /// <summary>Calls of other threads.</summary>
    public LoopInbox Inbox { get; }

    /// <summary>
    /// Called between the handlers of a batch, so that slow handlers do not delay the answers of those before them. Set by the driver.
    /// </summary>
    public Action BetweenHandlers { get; set; } = static () => { };

    /// <summary>Both sides can ask the other to hold one channel. Set by the driver before the first message.</summary>
    public bool HasFlow
    {
        get => _unread.HasFlow;
        init => _unread.HasFlow = value;
    }

    /// <summary>The node asked this worker to end.</summary>
    public bool IsTerminating { get; private set; }

    /// <summary>The node asked this worker to end, and every job is done.</summary>
    public bool IsDone => IsTerminating && _channels.Count == 0;

    /// <summary>
    /// A handler waited for room and there is room now: <see cref="StartPending"/> lets the handler continue, so the driver must not park.
    /// </summary>
    public bool HasWaiterWithRoom => _answers.HasWaiterWithRoom;

    /// <summary>A job was not begun because as many ran as may, and one of them has ended since.</summary>
    public bool HasHeldBackWithRoom => _pending.HasHeldBackWithRoom;

    /// <summary>The node takes jobs back: nothing begins until its message is read.</summary>
    public bool AwaitsRecall => _gate is { AwaitsRecall: true };

    /// <summary>
    /// Says whether handlers have so much to read that the driver must take no more from the node. The bell rings when a handler has read
    /// enough on another thread.
    /// </summary>
    public bool IsFull() => _unread.IsFull();

    /// <summary>Takes every message of a batch. Returns the mistake in it, or null.</summary>
    /// <param name="bytes">The messages.</param>
    /// <param name="lends">The bytes lie in a ring, and stay there until <see cref="Keep"/>.</param>
    public string? TakeAll(ReadOnlySpan<byte> bytes, bool lends = false)
    {
        _lends = lends;
        string? problem = TakeWhole(bytes, out int taken);
        _lends = false;
        return problem ?? (taken < bytes.Length ? "a record that ends within a message" : null);
    }

    /// <summary>The ring's room is about to be given back: requests that lie there and were not read are copied.</summary>
    public void Keep()
    {
        _lent.ForEach(static channel => channel.Request.Keep());
        _lent.Clear();
    }

    /// <summary>Takes the whole messages at the front. Returns the mistake in them, or null.</summary>
    /// <param name="bytes">The bytes so far.</param>
    /// <param name="taken">Bytes of the messages that were taken.</param>
    public string? TakeWhole(ReadOnlySpan<byte> bytes, out int taken)
    {
        taken = 0;
        string? problem = null;
        _pending.OnTaken();
        bool wasFixed = _seat.IsFixed;
        _seat.IsFixed = true; // a callback of the app, within a message, must not let another thread take the next one
        while (taken < bytes.Length && problem is null)
        {
            ReadOnlySpan<byte> rest = bytes[taken..];
            DecodeStatus status = MessageDecoder.Decode(rest, ProtocolLimits.Default, out MessageLayout layout);
            if (status != DecodeStatus.Ok)
            {
                problem = status == DecodeStatus.NeedMore ? null : layout.Problem ?? "bytes that are no message";
                break;
            }

            problem = Take(new MessageView(in layout, rest));
            taken += layout.TotalBytes;
        }

        _seat.IsFixed = wasFixed;
        _answers.OnLooked();
        return problem;
    }

    /// <summary>Takes a message that belongs to no job. Returns the mistake in it, or null.</summary>
    private string? TakeControl(in MessageView message)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        switch (layout.Type)
        {
            case ControlType.Terminate:
                IsTerminating = true;
                return null;
            case ControlType.Recall when layout.Shape == ArgumentShape.CodeText:
                OnRecall(layout.Code, layout.Number);
                return null;
            case ControlType.Flow when HasFlow:
                if (!FlowControl.TryRead(in message, out ulong number, out bool holds))
                {
                    return "a message of flow control that does not name a channel and a state of 0 or 1";
                }

                if (_channels.TryGet(number, out WorkerChannel? channel) && !channel.Ended)
                {
                    channel.Hold.Set(holds);
                }

                return null;
            default:
                return null;
        }
    }

    /// <summary>Takes one message. Returns the mistake in it, or null.</summary>
    private string? Take(in MessageView message)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        if (layout.Channel == MessageWriter.ControlChannel)
        {
            return TakeControl(in message);
        }

        if (!_channels.TryGet(layout.Channel, out WorkerChannel? channel))
        {
            if (layout.Channel > _newest && layout is { Type: MessageType.Chunk, Shape: ArgumentShape.Data })
            {
                _newest = layout.Channel;
                Open(in message);
            }

            return null; // late: the job has ended here already
        }

        switch (layout.Type)
        {
            case MessageType.Chunk when layout.Shape == ArgumentShape.Data:
                Add(channel, message.Data);
                break;
            case MessageType.Error:
                channel.NodeEnded = true;
                JobCancelledException error = JobCancelledException.Of(in message);
                channel.Request.Cancel(error);
                channel.Hold.Cancel(error);
                EndedByNode(channel);
                break;
            case MessageType.Close:
                channel.NodeEnded = true;
                channel.Request.Complete();
                EndedByNode(channel);
                break;
        }

        return null;
    }

    private void Add(WorkerChannel channel, scoped in Payload data)
    {
        if (channel.Ended)
        {
            return;
        }

        if (_lends && channel.Event.Borrows && data.Length >= Limits.LentBytes)
        {
            channel.Request.Lend(in data);
            _lent.Add(channel);
        }
        else
        {
            channel.Request.Add(in data);
        }
    }

    /// <summary>Lets handlers go on that waited for something that has come, and starts those that may begin.</summary>
    public void StartPending()
    {
        do
        {
            while (_ready.ContinueOne())
            {
                _seat.ThrowIfOver();
            }

            _pending.Begin(_start, BetweenHandlers);
            _answers.Settle();
        }
        while (_ready.Any);

        _unread.HoldLong();
    }

    /// <summary>A handler has taken messages in the middle of its run. No other handler can read now, so long requests are held.</summary>
    public void OnLooked()
    {
        _answers.OnLooked();
        _unread.HoldLong();
    }

    /// <summary>Carries out the requests of other threads. True when there were any.</summary>
    public bool DoPosted() => Inbox.Run();

    /// <summary>The loop ends: waiting handlers get an error, and later calls of other threads throw.</summary>
    public void Close()
    {
        _seat.IsFixed = true;
        Inbox.Close();
        List<WorkerChannel> left = _channels.Table.TakeAll();
        foreach (WorkerChannel channel in left)
        {
            channel.Request.Cancel(JobCancelledException.OfEnd);
            channel.Hold.Cancel(JobCancelledException.OfEnd);
        }

        for (int i = 0; i < 2 * left.Count && _ready.ContinueOne(); i++)
        {
            // a read and a write of each handler get their error
        }

        left.ForEach(channel => channel.End());
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
            _handlers.Finish(channel);
        }
        else if (call.Kind == LoopCallKind.GoOn)
        {
            channel.Request.TellGoOn();
        }
        else
        {
            channel.Response.Execute(in call);
        }
    }

    /// <summary>The running jobs, a line for each; from any thread.</summary>
    public string Describe() => JobReport.Describe(_channels.Table, _handlers.Handling);

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

        _pending.Add(_channels.Open(number, known, message.Headers));
    }

    private WorkerChannel MakeChannel() => new(Inbox, _answers, _unread, _seat, _ready, _blocks, _handlers.OnDone);

    /// <summary>The node takes back what this worker has not begun, from a channel on.</summary>
    private void OnRecall(int count, ulong from)
    {
        foreach (WorkerChannel channel in _pending.TakeFrom(from))
        {
            channel.EndOurs();
            _channels.Release(channel);
        }

        _gate?.OnRecall(count);
    }

    private void EndedByNode(WorkerChannel channel)
    {
        if (channel.Ended)
        {
            _channels.Release(channel);
        }
    }
}
