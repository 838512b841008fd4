using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Drivers.Base;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>
/// One client of a native-server: its channels are jobs. Every channel gets one terminal message, or the connection closes.
/// </summary>
internal class NativeConnection(NativeServer server, int descriptor) : NativeAnswers(server, descriptor), ISealHost
{
    protected override void OnMessage(in MessageView message, HeaderStatus headers)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        ulong channel = layout.Channel;
        SendsInParts = layout.Type == MessageType.Chunk && Flow is null; // this product's clients send at once
        if (Seals is not null && Seals.Takes(in message))
        {
            return;
        }

        if (Channels.TryGet(channel, out Job? job))
        {
            OnOpenChannel(job, in message);
        }
        else if (channel > HighestChannel)
        {
            HighestChannel = channel;
            if (!IsRefused(in layout) && !IsTurnedAway(channel))
            {
                OnNewChannel(in message, headers);
            }
        }
        else if (channel == FlowControl.ClientControlChannel)
        {
            OnControl(in message);
        }
        else if (channel == Loads?.Channel)
        {
            EndLoads(); // whatever the client says there: it wants no more news
            MessageWriter.WriteClose(Output, channel);
            ScheduleSend();
            SlowReader.OnMore();
        }
        else if (layout is { Type: MessageType.Error, Shape: ArgumentShape.Error })
        {
            Flow?.OnGivenUp(in message);
        }

        // Otherwise the message is late: the client wrote more after the node's terminal message. Its headers have gone through the table,
        // and no more is needed.
    }

    protected override void OnClosed(string reason)
    {
        Loop.Patience.Cancel(SlowReader);
        base.OnClosed(reason);
        Server.Remove(this);
        DropAnswers();
    }

    /// <inheritdoc/>
    public Job? Submit(SealedRequest request, string keyName, out JobRefusal refusal)
    {
        if (!Gate.AdmitsSealed(request.Guard, request.Index, request.Name, request.Events.Names, keyName, out DoorRefusal denied))
        {
            refusal = new JobRefusal(denied.Code, denied.Text, JobId: 0, denied.Headers.RetryAfterS);
            return null;
        }

        JobPolicy policy = request.Policy;
        Job? job = Server.Context.Engine.Submit(
            this, request.Channel, request.Events.Monitor, request.Name, in policy, request.Headers, out refusal);
        if (job is not null)
        {
            Begin(job, request.Channel);
        }

        return job;
    }

    /// <inheritdoc/>
    public void RefuseSealed(ulong channel, in JobRefusal refusal)
    {
        (int category, int code) = PairOf(in refusal);
        Refuse(channel, category, code, "sealed", refusal.Headers);
    }

    /// <summary>The client has closed its side, and the engine knows.</summary>
    protected virtual void OnRequestWhole(Job job)
    {
    }

    /// <summary>A message on the channel that no call has: flow control, of a client that has offered it.</summary>
    private void OnControl(in MessageView message)
    {
        if (Flow is null || message.Layout.Type != ControlType.Flow)
        {
            if (!IsRefusedAsOld(in message.Layout))
            {
                Refuse(0, ErrorCodes.BadRequest, OldDialect.NoChannel);
            }
        }
        else if (!Flow.TryHandle(in message))
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
        if (headers == HeaderStatus.Ok && Headers.OffersFlow && Flow is null)
        {
            Flow = new ClientFlow(this, Channels, SlowReader.OnLeft, () => Server.OnHeldTooLong(PeerName));
            Flow.Agree();
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
        else if (layout.Type == MessageType.Close && layout.Shape == ArgumentShape.Empty)
        {
            OpenLoads(channel);
        }
        else if (layout.Type != MessageType.Chunk)
        {
            Refuse(channel, ErrorCodes.BadRequest, layout.Type == MessageType.Error ? "info takes no arguments"
                : "an app has the methods 0 (enqueue), 1 (info) and 2 (load), and the last two take no arguments");
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

    /// <summary>The client wants to hear of the load.</summary>
    private void OpenLoads(ulong channel)
    {
        if (!Gate.MaySee("load", default, Headers, out DoorRefusal denied))
        {
            Refuse(channel, denied.Code, denied.Text, denied.Headers);
        }
        else if (Loads is not null)
        {
            Refuse(channel, ErrorCodes.BadRequest, "this connection hears of the load on another channel already");
        }
        else
        {
            Loads = new LoadStream(this, channel, () => Server.Load);
            Loads.Tell();
            SlowReader.OnMore();
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
            SlowReader.OnMore();
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
        HeaderSet headers = Headers;
        if (owner.CheckSeal(headers) is var fault and not SealFault.None)
        {
            RefuseSeal(channel, fault, jobId: 0);
            return;
        }

        bool isSealed = owner.Sealed != SealMode.No && headers.HasSeal; // then the seal proves the caller, with the first record
        if (!isSealed && !Gate.Admits(owner.Guard, index, name, events.Names, headers, out DoorRefusal denied))
        {
            Refuse(channel, denied.Code, denied.Text, denied.Headers);
            return;
        }

        HasCalled = true;
        JobPolicy policy = default;
        ReadOnlySpan<byte> forWorker = default;
        if (!headers.IsEmpty)
        {
            policy = JobPolicy.Of(headers);
            forWorker = headers.ForWorker(events.PassesSecrets);
        }

        if (isSealed)
        {
            SealedRequest request = (Seals ??= new SealedCalls(this, this, Server.Context.Engine.Name)).Take();
            request.Begin(channel, known, index, events, owner.Guard, in policy, forWorker);
            Seals.Begin(request, headers, owner.Seals.Worker);
            return;
        }

        Job? job = Server.Context.Engine.Submit(this, channel, events.Monitor, known, in policy, forWorker, out JobRefusal refusal);
        if (job is null)
        {
            (int category, int code) = PairOf(in refusal);
            Refuse(channel, category, code, refusal.Reason, refusal.Headers);
        }
        else
        {
            Begin(job, channel);
        }
    }

    private void Begin(Job job, ulong channel)
    {
        Channels.Add(channel, job);
        Loads?.OnCall();
        SlowReader.OnMore();
    }

    /// <summary>The pair by which the client knows a refused call. A client that hears of the load may call elsewhere.</summary>
    private (int Category, int Code) PairOf(in JobRefusal refusal) => Loads is not null && refusal.Code == ErrorCodes.ResourceError
        ? (ErrorCodes.RefusedCategory, refusal.Code) : PairOf(ErrorCodes.Category, refusal.Code, refusal.Cause);
}
