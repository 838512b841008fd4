using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers.Native;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Cluster.Peers;

/// <summary>
/// The other end of a link: a node that gives jobs to this one, for one app. Its jobs are accepted here like those of a client, and never
/// go on to a third node. Lives on the app's loop.
/// </summary>
internal sealed class PeerSession : MessageConnection, IJobCaller, ISlowClient
{
    private readonly PeerApp _app;
    private readonly ChannelTable<Job> _jobs = new();
    private readonly SlowReader _slowReader;
    private readonly ClientFlow _flow;
    private ulong _last = PeerHello.Channel;
    private long _toldNs = -1;

    public PeerSession(PeerApp app, in PeerSocket socket, string node)
        : base(app.Loop, socket.Descriptor, ProtocolLimits.Default)
    {
        socket.Secure(this);
        _app = app;
        Node = node;
        _slowReader = new SlowReader(this, this);
        _flow = new ClientFlow(this, _jobs, _slowReader.OnLeft, () => PeerLog.Held(app.Log, app.Name, node));
    }

    /// <summary>The name of the other node, which has proven it.</summary>
    public string Node { get; }

    /// <summary>Jobs of the node that are here.</summary>
    public int Jobs => _jobs.Count;

    /// <summary>Welcomes the node: with the first news it knows that its proof was good.</summary>
    public void Begin()
    {
        Open();
        Tell(_app.News);
    }

    /// <summary>Tells the node the load.</summary>
    public void Tell(in LoadNews news)
    {
        _toldNs = Loop.NowNs;
        news.Write(Output, PeerHello.Channel);
        ScheduleSend();
    }

    /// <inheritdoc/>
    public void OnChunk(Job job, in Payload data)
    {
        if (!_flow.Keep(job, in data))
        {
            MessageWriter.WriteChunk(Output, job.CallerChannel, in data, bin: true);
            ScheduleSend();
            _slowReader.OnChunk(job);
        }
    }

    /// <inheritdoc/>
    public void OnDone(Job job)
    {
        TellOnce();
        if (!_flow.KeepClose(job))
        {
            MessageWriter.WriteClose(Output, job.CallerChannel);
            ScheduleSend();
        }

        Leave(job);
    }

    /// <inheritdoc/>
    public void OnFailed(Job job, in JobError error)
    {
        TellOnce();
        ErrorHeaders headers = error.HeadersOf(job);
        if (!_flow.KeepError(job, in error, in headers))
        {
            MessageWriter.WriteError(Output, job.CallerChannel, error.Category, error.Code, error.Reason, in headers);
            ScheduleSend();
        }

        Leave(job);
    }

    /// <inheritdoc/>
    public void OnRequestPressure(Job job, bool high) => _flow.HoldRequest(job, high);

    /// <inheritdoc/>
    public void Resume()
    {
        if (!_slowReader.PausesReading)
        {
            ResumeReading();
        }
    }

    /// <inheritdoc/>
    public void OnStalled(int seconds) => Close($"the node has not read for {seconds} s");

    protected override void OnSent()
    {
        _slowReader.OnSent();
        _flow.OnSent();
    }

    protected override void OnMessage(in MessageView message, HeaderStatus headers)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        if (_jobs.TryGet(layout.Channel, out Job? job))
        {
            OnOpenChannel(job, in message);
        }
        else if (layout.Channel > _last)
        {
            _last = layout.Channel;
            OnCall(in message, headers);
        }
        else if (layout.Channel == FlowControl.ClientControlChannel)
        {
            if (layout.Type != ControlType.Flow || !_flow.TryHandle(in message))
            {
                Break("a message of flow control that is none");
            }
        }
        else if (layout.Channel == PeerHello.Channel)
        {
            Break("a message of the hello after its end");
        }
        else if (layout is { Type: MessageType.Error, Shape: ArgumentShape.Error })
        {
            _flow.OnGivenUp(in message);
        }
    }

    protected override void OnMalformed(ulong? channel, int code, string problem) => Break(problem);

    protected override void OnClosed(string reason)
    {
        Loop.Patience.Cancel(_slowReader);
        _app.OnClosed(this);
        _flow.Clear();
        foreach (Job job in _jobs.TakeAll())
        {
            job.Engine.Cancel(job, "the node that sent the job went away"u8, clientGone: true);
        }

        _slowReader.ReleaseSlaves();
    }

    private void OnCall(in MessageView message, HeaderStatus headers)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        if (headers != HeaderStatus.Ok || layout is not { Type: MessageType.Chunk, Shape: ArgumentShape.Data, ArgumentCount: 2 })
        {
            Break("a message that opens a channel and calls nothing");
            return;
        }

        if (_app.Find(PeerCall.TaskOf(in message)) is not { } task || task.Find(message.ShortData, out _) is not { } name)
        {
            Refuse(layout.Channel, new JobRefusal(ErrorCodes.NotFound, "the app of this node has no such task or event", JobId: 0));
        }
        else if (_app.Engine is not { } engine || _jobs.Count >= Limits.MaxChannels)
        {
            Refuse(layout.Channel, new JobRefusal(ErrorCodes.ResourceError, "the app of this node takes no more jobs", JobId: 0));
        }
        else
        {
            Submit(engine, layout.Channel, task, name);
        }
    }

    private void Submit(AppEngine engine, ulong channel, EventCatalog task, byte[] name)
    {
        JobPolicy policy = default;
        ReadOnlySpan<byte> forWorker = default;
        if (!Headers.IsEmpty)
        {
            policy = JobPolicy.Of(Headers);
            forWorker = Headers.ForWorker(withSecrets: true); // the other node sends those that the task asks for, and no others
        }

        Job? job = engine.Submit(this, channel, task.Monitor, name, in policy, forWorker, out JobRefusal refusal);
        if (job is null)
        {
            Refuse(channel, in refusal);
            return;
        }

        engine.Counters.JobsTaken++;
        _jobs.Add(channel, job);
        _slowReader.OnMore();
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
                break;
            case MessageType.Error when layout.Shape == ArgumentShape.Error:
                _flow.Drop(layout.Channel);
                _jobs.Remove(layout.Channel, out _);
                job.Engine.Cancel(job, new JobError(layout.Category, layout.Code, message.Text));
                break;
            default:
                Break("a message that an open channel does not take");
                break;
        }
    }

    /// <summary>The node has not taken a job.</summary>
    private void Refuse(ulong channel, in JobRefusal refusal)
    {
        MessageWriter.WriteError(Output, channel, ErrorCodes.RefusedCategory, refusal.Code, refusal.Reason, refusal.Headers);
        ScheduleSend();
        _slowReader.OnMore();
    }

    /// <summary>News go before the end of an answer, once in a turn: the other node hears of the free place with it.</summary>
    private void TellOnce()
    {
        if (_toldNs != Loop.NowNs)
        {
            Tell(_app.News);
        }
    }

    private void Leave(Job job) => _jobs.Remove(job.CallerChannel, out _);

    private void Break(string problem)
    {
        PeerLog.Broken(_app.Log, _app.Name, Node, problem);
        Close(problem);
    }
}
