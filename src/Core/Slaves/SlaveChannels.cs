using System.Diagnostics.CodeAnalysis;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>
/// The channels of a slave with the jobs on them: messages to the worker, the meaning of the worker's messages, and channels of jobs whose
/// caller no longer wants an answer.
/// </summary>
internal sealed class SlaveChannels
{
    private readonly ChannelTable<Job> _jobs = new();
    private ulong _last = MessageWriter.ControlChannel;

    /// <summary>The way to the worker. Valid from the launch on.</summary>
    public SlaveLink Link { get; set; } = null!;

    /// <summary>Open channels, including those of answered jobs that the worker has not closed yet.</summary>
    public int Count => _jobs.Count;

    /// <summary>Channels that the worker did not close in time after their jobs were answered.</summary>
    public int Abandoned { get; private set; }

    /// <summary>No channel is left to wait for: there is none, or only abandoned ones.</summary>
    public bool AreOver => _jobs.Count == Abandoned;

    /// <summary>The number of the newest one, open or not.</summary>
    public ulong Last => _last;

    /// <summary>The job of an open channel.</summary>
    public bool TryGet(ulong channel, [NotNullWhen(true)] out Job? job) => _jobs.TryGet(channel, out job);

    /// <summary>The jobs on the channels, the oldest first. The list is a copy: do not ask for it in each job.</summary>
    public List<Job> ToList() => _jobs.ToList();

    /// <summary>The slave is gone: its channels end with it.</summary>
    public List<Job> TakeAll()
    {
        Abandoned = 0;
        return _jobs.TakeAll();
    }

    /// <summary>Opens a channel for a job that begins to run.</summary>
    public void Add(Job job)
    {
        job.SlaveChannel = ++_last;
        job.NodeSideEnded = job.CancelSent = false;
        job.RequestWay = RequestWay.Open;
        job.KeptRequest.Clear();
        _jobs.Add(job.SlaveChannel, job);
    }

    /// <summary>The worker never begins the job: its channel is void, and neither side says so on it.</summary>
    public void Drop(Job job) => _jobs.Remove(job.SlaveChannel, out _);

    /// <summary>The worker did not close the channel of an answered job in time.</summary>
    public void Abandon(Job job)
    {
        job.IsAbandoned = true;
        Abandoned++;
    }

    /// <summary>Calls the worker with the request so far; the rest goes by <see cref="WriteChunk"/> and <see cref="EndRequest"/>.</summary>
    public void Invoke(Job job)
    {
        SlaveLink link = Link;
        MessageWriter.WriteInvoke(link.Sink, job.SlaveChannel, job.Event, job.Request.Headers);
        foreach (Payload chunk in job.Request)
        {
            MessageWriter.WriteChunk(link.Sink, job.SlaveChannel, in chunk, link.PeerSpeaksBin);
        }

        if (job.RequestEnded)
        {
            EndRequest(job);
        }

        link.Flush();
    }

    /// <summary>Sends more of a request.</summary>
    public void WriteChunk(Job job, in Payload chunk)
    {
        if (!job.NodeSideEnded)
        {
            SlaveLink link = Link;
            MessageWriter.WriteChunk(link.Sink, job.SlaveChannel, chunk, link.PeerSpeaksBin);
            link.Flush();
        }
    }

    /// <summary>Sends the end of a request.</summary>
    public void EndRequest(Job job)
    {
        if (!job.NodeSideEnded)
        {
            job.NodeSideEnded = true;
            MessageWriter.WriteClose(Link.Sink, job.SlaveChannel);
            Link.Flush();
        }
    }

    /// <summary>Asks the worker to send no more of an answer, or to go on; on a link with <see cref="SlaveLink.HasFlow"/> only.</summary>
    public void WriteFlow(Job job, bool holds)
    {
        MessageWriter.WriteFlow(Link.Sink, MessageWriter.ControlChannel, job.SlaveChannel, holds);
        Link.Flush();
    }

    /// <summary>Tells the worker that nobody wants its answer any more. The channel stays until the worker has closed its side.</summary>
    public void Cancel(Job job, in JobError error)
    {
        // After the node's close, an old worker takes an error for a broken protocol; a worker with bin payloads takes it for a cancel.
        if (!job.CancelSent && (!job.NodeSideEnded || Link.PeerSpeaksBin))
        {
            job.NodeSideEnded = job.CancelSent = true;
            MessageWriter.WriteError(Link.Sink, job.SlaveChannel, error.Category, error.Code, error.Reason);
            Link.Flush();
        }
    }

    /// <summary>Answers all jobs on the channels, or those that <paramref name="isMeant"/> picks, with an error of the node.</summary>
    public void FailAll(int code, string reason, ErrorCause cause, Predicate<Job>? isMeant = null)
    {
        foreach (Job job in _jobs.ToList())
        {
            if (isMeant is null || isMeant(job))
            {
                job.Engine.Fail(job, code, reason, cause: cause);
            }
        }
    }

    /// <summary>The worker has ended its side of a job's channel. The job leaves, and the node ends its side too.</summary>
    public void End(Job job)
    {
        _jobs.Remove(job.SlaveChannel, out _);
        if (job.IsAbandoned)
        {
            Abandoned--;
        }

        EndRequest(job); // otherwise the worker keeps the channel for ever
    }

    /// <summary>Finds the meaning of a worker's message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="job">
    /// The job of the message's channel, or the one that a hold or go-on names; null on the control channel and on closed channels.
    /// </param>
    /// <param name="fault">How the message breaks the protocol; null when it does not.</param>
    public WorkerMessage Read(in MessageView message, out Job? job, out string? fault)
    {
        fault = null;
        ref readonly MessageLayout layout = ref message.Layout;
        if (!_jobs.TryGet(layout.Channel, out job))
        {
            return layout.Channel != MessageWriter.ControlChannel ? ReadLate(in layout, out fault)
                : layout.Type == ControlType.Flow && Link.HasFlow ? ReadFlow(in message, out job, out fault)
                : ReadControl(in layout, out fault);
        }

        switch (layout.Type)
        {
            case MessageType.Chunk when layout.Shape == ArgumentShape.Data:
                return WorkerMessage.Chunk;
            case MessageType.Error when layout.Shape == ArgumentShape.Error:
                return WorkerMessage.Error;
            case MessageType.Close:
                return WorkerMessage.Close;
            default:
                fault = $"a message of type {layout.Type} with {layout.ArgumentCount} arguments on channel {layout.Channel}";
                return WorkerMessage.Broken;
        }
    }

    /// <summary>A hold or go-on of a channel that has ended, or never was, means nothing.</summary>
    private WorkerMessage ReadFlow(in MessageView message, out Job? job, out string? fault)
    {
        job = null;
        bool isFlow = FlowControl.TryRead(in message, out ulong channel, out bool holds);
        fault = isFlow ? null : "a message of flow control that does not name a channel and a state of 0 or 1";
        return !isFlow ? WorkerMessage.Broken : !_jobs.TryGet(channel, out job) ? WorkerMessage.Late
            : holds ? WorkerMessage.Hold : WorkerMessage.GoOn;
    }

    private static WorkerMessage ReadControl(in MessageLayout layout, out string? fault)
    {
        fault = null;
        switch (layout.Type)
        {
            case ControlType.Heartbeat when layout.ArgumentCount == 0:
                return WorkerMessage.Heartbeat;
            case ControlType.Terminate:
                return WorkerMessage.AsksToEnd;
            default:
                fault = $"a message of type {layout.Type} with {layout.ArgumentCount} arguments on the control channel";
                return WorkerMessage.Broken;
        }
    }

    /// <summary>A message that comes after the worker's own close means nothing, when its channel was open once.</summary>
    private WorkerMessage ReadLate(in MessageLayout layout, out string? fault)
    {
        bool isLate = layout.Channel <= _last && layout.Type <= MessageType.Close;
        fault = isLate ? null : $"a message on channel {layout.Channel}, which was never opened";
        return isLate ? WorkerMessage.Late : WorkerMessage.Broken;
    }
}
