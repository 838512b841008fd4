using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>
/// One client of a native-server: its channels are jobs. Every channel gets one terminal message, or the connection closes.
/// </summary>
internal class NativeConnection : NativeDoor, IJobCaller
{
    private readonly SlowReader _slowReader;
    private Job? _pausedFor;        // reading is paused until this job's slave has room
    private ClientFlow? _flow;      // null until the client has offered flow control

    public NativeConnection(NativeServer server, int descriptor)
        : base(server, descriptor) => _slowReader = new SlowReader(this);

    internal override bool IsBusy => base.IsBusy || HeldBytes > 0;

    /// <summary>Bytes that are kept of answers that the client holds.</summary>
    internal long HeldBytes => _flow?.KeptBytes ?? 0;

    public virtual void OnChunk(Job job, in Payload data)
    {
        if (_flow is not null && _flow.Keep(job, in data))
        {
            return;
        }

        MessageWriter.WriteChunk(Output, job.CallerChannel, in data, PeerSpeaksBin);
        ScheduleSend();
        _slowReader.OnChunk(job);
    }

    public virtual void OnDone(Job job)
    {
        if (_flow is null || !_flow.KeepClose(job))
        {
            MessageWriter.WriteClose(Output, job.CallerChannel);
            ScheduleSend();
        }

        Leave(job);
    }

    public virtual void OnFailed(Job job, in JobError error)
    {
        ErrorHeaders headers = error.HeadersOf(job);
        if (_flow is null || !_flow.KeepError(job, in error, in headers))
        {
            (int category, int code) = PairOf(error.Category, error.Code, error.Cause);
            MessageWriter.WriteError(Output, job.CallerChannel, category, code, error.Reason, in headers);
            ScheduleSend();
        }

        Leave(job);
    }

    public void OnRequestPressure(Job job, bool high)
    {
        // Other channels of this client go on while the slave has a backlog, but not when the node keeps much of this one for its handler.
        if (_flow is not null)
        {
            _flow.HoldRequest(job, high);
        }
        else if (high && (Channels.Count == 1 || job.RequestHeld))
        {
            _pausedFor = job;
            PauseReading();
        }
        else if (!high && _pausedFor == job)
        {
            _pausedFor = null;
            Resume();
        }
    }

    protected override void OnMessage(in MessageView message, HeaderStatus headers)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        ulong channel = layout.Channel;
        SendsInParts = layout.Type == MessageType.Chunk && _flow is null; // this product's clients send at once
        if (Channels.TryGet(channel, out Job? job))
        {
            OnOpenChannel(job, in message);
        }
        else if (channel > HighestChannel)
        {
            HighestChannel = channel;
            if (!IsRefused(in layout))
            {
                OnNewChannel(in message, headers);
            }
        }
        else if (channel == FlowControl.ClientControlChannel)
        {
            OnControl(in message);
        }
        else if (layout is { Type: MessageType.Error, Shape: ArgumentShape.Error })
        {
            _flow?.OnGivenUp(in message);
        }

        // Otherwise the message is late: the client wrote more after the node's terminal message. Its headers have gone through the table,
        // and no more is needed.
    }

    protected override void OnClosed(string reason)
    {
        Loop.Patience.Cancel(_slowReader);
        base.OnClosed(reason);
        Server.Remove(this);
        _flow?.Clear();
        foreach (Job job in Channels.TakeAll())
        {
            job.Engine.Cancel(job, "the client went away"u8, clientGone: true);
        }

        _pausedFor = null;
        _slowReader.ReleaseSlaves();
    }

    protected override void OnSent()
    {
        _slowReader.OnSent();
        _flow?.OnSent();
    }

    /// <summary>The client has closed its side, and the engine knows.</summary>
    protected virtual void OnRequestWhole(Job job)
    {
    }

    /// <summary>Ends the client's channel without waiting for the job, which no longer belongs to the client.</summary>
    protected void Accept(Job job)
    {
        MessageWriter.WriteClose(Output, job.CallerChannel);
        Forget(job);
        ScheduleSend();
        _slowReader.OnMore();
    }

    /// <summary>A message on the channel that no call has: flow control, of a client that has offered it.</summary>
    private void OnControl(in MessageView message)
    {
        if (_flow is null || message.Layout.Type != ControlType.Flow)
        {
            if (!IsRefusedAsOld(in message.Layout))
            {
                Refuse(0, ErrorCodes.BadRequest, OldDialect.NoChannel);
            }
        }
        else if (!_flow.TryHandle(in message))
        {
            const string Problem = "a message of flow control has a channel, and 1 or 0";
            OnMalformed(FlowControl.ClientControlChannel, ErrorCodes.BadRequest, Problem);
            FlushAndClose(Problem);
        }
    }

    private void OnOpenChannel(Job job, in MessageView message)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        switch (layout.Type)
        {
            case MessageType.Chunk when layout.Shape == ArgumentShape.Data && !job.RequestEnded:
                job.Engine.AddChunk(job, message.Data);
                break;
            case MessageType.Close when !job.RequestEnded:
                job.Engine.EndRequest(job);
                OnRequestWhole(job);
                break;
            case MessageType.Error when layout.Shape == ArgumentShape.Error:
                ErrorHeaders own = new() { JobId = job.Id };
                Forget(job);
                job.Engine.Cancel(job, new JobError(layout.Category, layout.Code, message.Text));

                // Every channel is answered by one terminal message, in this case the client's own error: otherwise old clients keep the
                // channel open.
                MessageWriter.WriteError(Output, layout.Channel, layout.Category, layout.Code, message.Text, in own);
                ScheduleSend();
                break;
            case MessageType.Close:
                break; // closed twice: harmless
            default:
                ErrorHeaders its = new() { JobId = job.Id };
                string problem = job.RequestEnded
                    ? "a message after the channel was closed" : "a message that the open channel does not take";
                Forget(job);
                job.Engine.Cancel(job, "the client broke the protocol"u8);
                Refuse(layout.Channel, ErrorCodes.BadRequest, problem, in its);
                break;
        }
    }

    private void OnNewChannel(in MessageView message, HeaderStatus headers)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        ulong channel = layout.Channel;
        if (headers == HeaderStatus.Ok && Headers.OffersFlow && _flow is null)
        {
            _flow = new ClientFlow(this, Channels, _slowReader.OnLeft, () => Server.OnHeldTooLong(PeerName));
            _flow.Agree();
        }

        if (headers != HeaderStatus.Ok)
        {
            Refuse(channel, ErrorCodes.BadRequest, headers == HeaderStatus.TooMany ? "too many headers"
                : "a header's value is not raw bytes or a number");
        }
        else if (layout.Type == MessageType.Error && layout.Shape == ArgumentShape.Empty)
        {
            if (Gate.MaySee("info", default, Headers, out DoorRefusal denied))
            {
                AskInfo(channel);
            }
            else
            {
                Refuse(channel, denied.Code, denied.Text, denied.Headers);
            }
        }
        else if (layout.Type != MessageType.Chunk)
        {
            Refuse(channel, ErrorCodes.BadRequest, layout.Type == MessageType.Error ? "info takes no arguments"
                : "an app has the methods 0 (enqueue) and 1 (info)");
        }
        else if (layout.Shape != ArgumentShape.Data || layout.ArgumentCount > 2)
        {
            Refuse(channel, ErrorCodes.BadRequest, "enqueue takes an event and at most a tag");
        }
        else if (Channels.Count >= Limits.MaxChannels)
        {
            Refuse(channel, ErrorCodes.ResourceError, "too many open channels on this connection");
        }
        else
        {
            Enqueue(channel, message.ShortData);
        }
    }

    /// <summary>A method of its own, because the lambda would take memory for each call where it stands.</summary>
    private void AskInfo(ulong channel) => Server.Context.AskInfo(info => OnInfo(channel, info));

    /// <summary>The app's info is there: at once, or after the app's other loops have told theirs.</summary>
    private void OnInfo(ulong channel, byte[] info)
    {
        if (IsOpen)
        {
            MessageWriter.WriteValue(Output, channel, info);
            ScheduleSend();
            _slowReader.OnMore();
        }
    }

    private void Enqueue(ulong channel, ReadOnlySpan<byte> name)
    {
        NativeServer owner = Server;
        if ((owner.Events.Find(name, out int index) ?? FindAtSiblings(name, out owner, out index)) is not { } known)
        {
            RefuseUnknown(channel, name, Headers);
            return;
        }

        EventCatalog events = owner.Events;
        if (!Gate.Admits(owner.Guard, index, name, events.Names, Headers, out DoorRefusal denied))
        {
            Refuse(channel, denied.Code, denied.Text, denied.Headers);
            return;
        }

        HasCalled = true;
        HeaderSet headers = Headers;
        JobPolicy policy = default;
        ReadOnlySpan<byte> forWorker = default;
        if (!headers.IsEmpty)
        {
            policy = new JobPolicy
            {
                Urgent = headers.Urgent,
                SilenceTimeoutMs = headers.SilenceTimeoutMs ?? 0,
                DeadlineMs = headers.RequestTimeoutMs ?? 0,
                RetryLimit = headers.RetryLimit,
            };
            forWorker = headers.ForWorker(events.PassesSecrets);
        }

        Job? job = Server.Context.Engine.Submit(this, channel, events.Monitor, known, in policy, forWorker, out JobRefusal refusal);
        if (job is null)
        {
            (int category, int code) = PairOf(ErrorCodes.Category, refusal.Code, refusal.Cause);
            Refuse(channel, category, code, refusal.Reason, refusal.Headers);
        }
        else
        {
            Channels.Add(channel, job);
            _slowReader.OnMore();
        }
    }

    protected sealed override void Refuse(ulong channel, int code, string reason, in ErrorHeaders headers = default) =>
        Refuse(channel, ErrorCodes.Category, code, reason, in headers);

    private void Refuse(ulong channel, int category, int code, string reason, in ErrorHeaders headers)
    {
        MessageWriter.WriteError(Output, channel, category, code, reason, in headers);
        ScheduleSend();
        _slowReader.OnMore();
    }

    /// <summary>The pair by which the client knows an error: this product's clients, which offer flow control, know the node's.</summary>
    private (int Category, int Code) PairOf(int category, int code, ErrorCause cause) =>
        (_flow is null ? PublicErrors.PairOf(cause) : null) ?? (category, code);

    /// <summary>Reads again, unless there is another reason to pause.</summary>
    internal void Resume()
    {
        if (_pausedFor is null && !_slowReader.PausesReading)
        {
            ResumeReading();
        }
    }

    private void Forget(Job job)
    {
        _flow?.Drop(job.CallerChannel);
        Leave(job);
    }

    /// <summary>The job no longer has a channel here.</summary>
    private void Leave(Job job)
    {
        Channels.Remove(job.CallerChannel, out _);
        if (Channels.Count == 0)
        {
            OnQuiet();
        }

        if (_pausedFor == job)
        {
            _pausedFor = null;
            Resume();
        }
    }
}
