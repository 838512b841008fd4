using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>
/// The channels of a slave with the jobs on them: the messages to the worker, the meaning of its own, and the channels that it keeps
/// although no caller wants their answers any more.
/// </summary>
internal sealed class SlaveChannels
{
    private readonly ChannelTable<Job> _jobs = new();
    private ulong _last = MessageWriter.ControlChannel;

    /// <summary>The way to the worker. Valid from the launch on.</summary>
    public SlaveLink Link { get; set; } = null!;

    /// <summary>Open channels, those of jobs that were answered and that the worker has not closed yet included.</summary>
    public int Count => _jobs.Count;

    /// <summary>Channels that the worker has not closed in time after their jobs' answer.</summary>
    public int Abandoned { get; private set; }

    /// <summary>Nothing is left to wait for: no channel, or only abandoned ones.</summary>
    public bool AreOver => _jobs.Count == Abandoned;

    /// <summary>The jobs on them, the oldest first; a copy, not for each job.</summary>
    public List<Job> ToList() => _jobs.ToList();

    /// <summary>The slave is gone: they end with it.</summary>
    public List<Job> TakeAll()
    {
        Abandoned = 0;
        return _jobs.TakeAll();
    }

    /// <summary>A channel for a job that begins to run.</summary>
    public void Add(Job job)
    {
        job.SlaveChannel = ++_last;
        job.NodeSideEnded = job.CancelSent = false;
        _jobs.Add(job.SlaveChannel, job);
    }

    /// <summary>The worker has had its time to close the channel of an answered job.</summary>
    public void Abandon(Job job)
    {
        job.IsAbandoned = true;
        Abandoned++;
    }

    /// <summary>
    /// Calls the worker, with the request so far; the rest goes on by <see cref="WriteChunk"/> and <see cref="EndRequest"/>.
    /// </summary>
    public void Invoke(Job job)
    {
        SlaveLink link = Link;
        MessageWriter.WriteInvoke(link.Sink, job.SlaveChannel, job.Event, job.Request.Headers);
        foreach (ReadOnlySpan<byte> chunk in job.Request)
        {
            MessageWriter.WriteChunk(link.Sink, job.SlaveChannel, new Payload(chunk), link.PeerSpeaksBin);
        }

        if (job.RequestEnded)
        {
            EndRequest(job);
        }

        link.Flush();
    }

    /// <summary>More of a request.</summary>
    public void WriteChunk(Job job, in Payload chunk)
    {
        if (!job.NodeSideEnded)
        {
            SlaveLink link = Link;
            MessageWriter.WriteChunk(link.Sink, job.SlaveChannel, chunk, link.PeerSpeaksBin);
            link.Flush();
        }
    }

    /// <summary>The end of a request.</summary>
    public void EndRequest(Job job)
    {
        if (!job.NodeSideEnded)
        {
            job.NodeSideEnded = true;
            MessageWriter.WriteClose(Link.Sink, job.SlaveChannel);
            Link.Flush();
        }
    }

    /// <summary>Tells the worker that its answer is not wanted any more; the channel stays until the worker has closed its side.</summary>
    public void Cancel(Job job, in JobError error)
    {
        // After our close an old worker would take an error for a broken protocol; one of ours takes it for the cancel that it is.
        if (!job.CancelSent && (!job.NodeSideEnded || Link.PeerSpeaksBin))
        {
            job.NodeSideEnded = job.CancelSent = true;
            MessageWriter.WriteError(Link.Sink, job.SlaveChannel, error.Category, error.Code, error.Reason);
            Link.Flush();
        }
    }

    /// <summary>Answers every job on them, or those that are meant, with an error of ours.</summary>
    public void FailAll(int code, string reason, Predicate<Job>? isMeant = null)
    {
        foreach (Job job in _jobs.ToList())
        {
            if (isMeant is null || isMeant(job))
            {
                job.Engine.Fail(job, code, reason);
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

        EndRequest(job); // or the worker keeps the channel for ever
    }

    /// <summary>Says the meaning of a worker's message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="job">The job of its channel; null on the control channel, and on those that were closed.</param>
    /// <param name="fault">How it breaks the protocol; null when it does not.</param>
    public WorkerMessage Read(in MessageView message, out Job? job, out string? fault)
    {
        fault = null;
        ref readonly MessageLayout layout = ref message.Layout;
        if (!_jobs.TryGet(layout.Channel, out job))
        {
            return layout.Channel == MessageWriter.ControlChannel ? ReadControl(in layout, out fault) : ReadLate(in layout, out fault);
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

    /// <summary>A message after the worker's own close is of no interest, on a channel that there has been.</summary>
    private WorkerMessage ReadLate(in MessageLayout layout, out string? fault)
    {
        bool isLate = layout.Channel <= _last && layout.Type <= MessageType.Close;
        fault = isLate ? null : $"a message on channel {layout.Channel}, which was never opened";
        return isLate ? WorkerMessage.Late : WorkerMessage.Broken;
    }
}
