using System.Text;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Worker.Serving;

/// <summary>
/// The worker's side of docs/worker-protocol.md over any sink: channels, handlers, terminate. It belongs to one thread; whoever drives
/// it feeds messages in,
/// calls <see cref="StartPending"/> after each batch and shows what was written to the node.
/// </summary>
internal sealed class WorkerSession(AppHost app)
{
    /// <summary>Answers that wait for room in the pipe, from which <see cref="Response.WriteAsync"/> waits.</summary>
    private const int HighBacklogBytes = 1 << 20;

    private const ulong ControlChannel = 1;

    private readonly ChannelTable<WorkerChannel> _channels = new();
    private readonly Stack<WorkerChannel> _free = new();
    private readonly List<WorkerChannel> _pending = [];
    private TaskCompletionSource? _room;
    private SynchronizationContext? _context; // of the thread that starts handlers; valid from the first one on
    private ulong _newest = ControlChannel; // the channel opened last: invokes come with increasing numbers

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
    public bool HasWaiterWithRoom => _room is not null && HasRoom;

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
        if (layout.Channel == ControlChannel)
        {
            IsTerminating |= layout.Type == 1;
            return;
        }

        if (!_channels.TryGet(layout.Channel, out WorkerChannel? channel))
        {
            if (layout.Channel > _newest && layout is { Type: 0, Shape: ArgumentShape.Data })
            {
                _newest = layout.Channel;
                Open(in message);
            }

            return; // late: the job has ended here already
        }

        switch (layout.Type)
        {
            case 0 when layout.Shape == ArgumentShape.Data:
                if (!channel.Ended)
                {
                    channel.Request.Add(message.Data);
                }

                break;
            case 1:
                channel.NodeEnded = true;
                channel.Request.Cancel();
                EndedByNode(channel);
                break;
            case 2:
                channel.NodeEnded = true;
                channel.Request.End();
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
        if (_room is not null && HasRoom)
        {
            TaskCompletionSource room = _room;
            _room = null;
            room.SetResult();
        }
    }

    public void WriteChunk(ulong channel, ReadOnlySpan<byte> chunk) =>
        MessageWriter.WriteChunk(Sink, channel, new Payload(chunk), bin: true);

    public void WriteError(ulong channel, int category, int code, string text) =>
        MessageWriter.WriteError(Sink, channel, category, code, text);

    public void WriteClose(ulong channel) => MessageWriter.WriteClose(Sink, channel);

    /// <summary>Ends when the node has made room.</summary>
    public Task WaitForRoomAsync() => (_room ??= new TaskCompletionSource()).Task;

    /// <summary>A handler that had to wait is done, on this session's thread or on any other.</summary>
    internal void OnHandlerDone(WorkerChannel channel)
    {
        if (_context is { } context && SynchronizationContext.Current != context)
        {
            context.Post(channel.Finish, null);
        }
        else
        {
            Finish(channel);
        }
    }

    /// <summary>The handler's task is done: its outcome becomes our terminal message.</summary>
    internal void Finish(WorkerChannel channel)
    {
        ValueTask running = channel.Running;
        channel.Running = default;
        try
        {
            running.GetAwaiter().GetResult();
            channel.Response.Close();
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

    private void Open(in MessageView message)
    {
        ulong number = message.Layout.Channel;
        if (app.Find(message.ShortData) is not { } known)
        {
            string name = Encoding.UTF8.GetString(message.ShortData);
            WriteError(number, ErrorCodes.Category, ErrorCodes.NotFound, $"there is no event '{name}' in app {app.Context.AppName}");
            return; // the node's own terminal message comes later and finds nobody
        }

        WorkerChannel channel = _free.Count > 0 ? _free.Pop() : new WorkerChannel(this);
        channel.Number = number;
        channel.Event = known;
        channel.Started = channel.Ended = channel.NodeEnded = false;
        channel.Request.Begin(known.Name, message.Headers);
        channel.Response.Channel = number;
        channel.Response.IsEnded = false;
        _channels.Add(number, channel);
        _pending.Add(channel);
    }

    private void Start(WorkerChannel channel)
    {
        channel.Started = true;
        _context ??= SynchronizationContext.Current;
        if (channel.Request.IsCancelled)
        {
            Fail(channel, new OperationCanceledException("the job was cancelled"));
            channel.Ended = true;
            Release(channel);
            return;
        }

#pragma warning disable CA2012 // stored here once, consumed once, in Finish
        try
        {
            channel.Running = channel.Event.Handle(channel.Request, channel.Response);
        }
        catch (Exception failure)
        {
            channel.Running = ValueTask.FromException(failure);
        }
#pragma warning restore CA2012

        if (channel.Running.IsCompleted)
        {
            Finish(channel);
        }
        else
        {
            // Not by the context, which takes objects: OnHandlerDone itself looks where it is.
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
            Console.Error.WriteLine(failure);
        }

        if (channel.Response.IsEnded)
        {
            return;
        }

        channel.Response.IsEnded = true;
        WriteError(channel.Number, ErrorCodes.Category, ErrorCodes.AppError, $"{failure.GetType().Name}: {failure.Message}");
    }

    private void Release(WorkerChannel channel)
    {
        if (_channels.Remove(channel.Number, out _))
        {
            channel.Request.Reset();
            _free.Push(channel);
        }
    }
}
