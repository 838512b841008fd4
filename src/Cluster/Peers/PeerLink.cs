using System.Text;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Cluster.Peers;

/// <summary>
/// This node's end of a link to another node, for one app: gives jobs to the node, and takes their answers. Lives on the app's loop.
/// </summary>
internal sealed class PeerLink(PeerForwarder owner, PeerAddress to, EventLoop loop, in PeerSocket socket)
    : ProvenLink(owner.Self, owner.App, owner.Log, to, loop, in socket), IPeer
{
    private readonly ChannelTable<Job> _jobs = new();
    private readonly RequestPressure _pressure = new();
    private ulong _last = PeerHello.Channel;

    /// <inheritdoc/>
    public byte[] Name { get; } = Encoding.UTF8.GetBytes(to.Node);

    /// <summary>Jobs that the node has.</summary>
    public int Jobs => _jobs.Count;

    /// <inheritdoc/>
    public void Run(Job job)
    {
        job.SlaveChannel = ++_last;
        job.RequestWay = RequestWay.Open;
        job.AnswerHeld = false;
        _jobs.Add(job.SlaveChannel, job);
        Load.OnSent();
        PeerCall.Write(Output, job, Loop.NowMs);
        foreach (Payload chunk in job.Request)
        {
            MessageWriter.WriteChunk(Output, job.SlaveChannel, in chunk, bin: true);
        }

        if (job.RequestEnded)
        {
            MessageWriter.WriteClose(Output, job.SlaveChannel);
        }

        ScheduleSend();
    }

    /// <inheritdoc/>
    public void WriteChunk(Job job, in Payload chunk)
    {
        MessageWriter.WriteChunk(Output, job.SlaveChannel, in chunk, bin: true);
        ScheduleSend();
        long backlog = Output.PendingBytes;
        if (backlog > EngineLimits.MaxBacklogBytes)
        {
            job.Engine.Fail(job, ErrorCodes.ResourceError, $"node {To.Node} reads this request too slowly and its caller did not wait");
        }
        else if (backlog > EngineLimits.HighBacklogBytes && IsSendBlocked && !job.UnderPressure)
        {
            _pressure.Press(job);
        }
    }

    /// <inheritdoc/>
    public void EndRequest(Job job)
    {
        MessageWriter.WriteClose(Output, job.SlaveChannel);
        ScheduleSend();
    }

    /// <inheritdoc/>
    public void Cancel(Job job, in JobError error)
    {
        _jobs.Remove(job.SlaveChannel, out _);
        _pressure.Forget(job);
        job.Runner = null;
        if (IsOpen)
        {
            MessageWriter.WriteError(Output, job.SlaveChannel, error.Category, error.Code, error.Reason);
            ScheduleSend();
        }
    }

    /// <inheritdoc/>
    public bool HoldBack(ulong channel, bool alone = false) => SetHeld(channel, held: true);

    /// <inheritdoc/>
    public void LetGo(ulong channel) => SetHeld(channel, held: false);

    /// <summary>Every job of an engine that the node has fails.</summary>
    public void FailAll(IJobEngine engine, int code, string reason, ErrorCause cause)
    {
        foreach (Job job in _jobs.ToList())
        {
            if (job.Runner == this && job.Engine == engine) // the end of another job may have ended this one
            {
                job.Engine.Fail(job, code, reason, cause: cause);
            }
        }
    }

    protected override void OnOpen() => owner.OnOpen(this);

    protected override void OnProven(in MessageView message)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        if (layout.Channel == FlowControl.ClientControlChannel)
        {
            OnFlow(in message);
        }
        else if (_jobs.TryGet(layout.Channel, out Job? job))
        {
            OnAnswer(job, in message);
        }
        else if (layout.Channel > _last)
        {
            Break("a message on a channel that was never opened");
        }
    }

    protected override void OnSent() => _pressure.Ease();

    protected override void OnEnded(string reason)
    {
        List<Job> jobs = _jobs.TakeAll();
        owner.OnClosed(this, jobs.Count, reason); // first: no job may come back to this link
        foreach (Job job in jobs)
        {
            _pressure.Ease(job);
            if (job.Runner == this) // a caller that was told to go on may have given up
            {
                job.Engine.OnPeerLost(job, To.Node, IsSilent ? PeerEnd.Silent : PeerEnd.Closed);
            }
        }
    }

    /// <summary>The node asks to hold a request, or to go on.</summary>
    private void OnFlow(in MessageView message)
    {
        if (message.Layout.Type != ControlType.Flow || !FlowControl.TryRead(in message, out ulong channel, out bool hold))
        {
            Break("a message of flow control that is none");
        }
        else if (_jobs.TryGet(channel, out Job? job) && !job.RequestEnded && job.RequestHeld != hold)
        {
            job.RequestWay = hold ? RequestWay.Held : RequestWay.Open;
            if (!hold)
            {
                _pressure.Ease(job);
            }
            else if (!job.UnderPressure)
            {
                _pressure.Press(job);
            }
        }
    }

    private void OnAnswer(Job job, in MessageView message)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        switch (layout.Type)
        {
            case MessageType.Chunk when layout.Shape == ArgumentShape.Data:
                job.Engine.OnChunk(job, message.Data);
                break;
            case MessageType.Close:
                Leave(job);
                job.Engine.OnEnd(job, failed: false, default);
                break;
            case MessageType.Error when layout.Shape == ArgumentShape.Error:
                OnError(job, in message);
                break;
            default:
                Break("a message that is no part of an answer");
                break;
        }
    }

    private void OnError(Job job, in MessageView message)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        bool isRefused = layout.Category == ErrorCodes.RefusedCategory;
        if (isRefused && job.HasAnswerBegun)
        {
            Break("a job that is refused after its answer has begun");
            return;
        }

        bool isLate = layout is { Category: ErrorCodes.Category, Code: ErrorCodes.DeadlineError };
        ErrorCause cause = isLate ? ErrorCause.Deadline : ErrorCause.Other;
        if (isRefused)
        {
            JobError refusal = new(ErrorCodes.Category, layout.Code, message.Text, Headers.OfError.RetryAfterS, ErrorCause.QueueFull);
            Load.OnRefused();
            _pressure.Ease(job);
            if (job.Runner == this && Leave(job))
            {
                job.Engine.OnPeerRefused(job, in refusal);
            }
        }
        else
        {
            JobError error = new(layout.Category, layout.Code, message.Text, Headers.OfError.RetryAfterS, cause);
            Leave(job);
            job.Engine.OnEnd(job, failed: true, in error);
        }
    }

    private bool Leave(Job job)
    {
        _pressure.Forget(job);
        return _jobs.Remove(job.SlaveChannel, out _);
    }

    private bool SetHeld(ulong channel, bool held)
    {
        if (!_jobs.TryGet(channel, out Job? job))
        {
            return false;
        }

        if (job.AnswerHeld != held)
        {
            job.AnswerHeld = held;
            MessageWriter.WriteFlow(Output, FlowControl.ClientControlChannel, channel, held);
            ScheduleSend();
        }

        return true;
    }
}
