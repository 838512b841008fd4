using Cocaine.Fast.Core.Engine.Handling;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Engine.Channels;

/// <summary>
/// One slave's channels with the jobs on them: what the worker is told there, what its messages mean, and which channels it keeps although
/// nobody wants their answers any more.
/// </summary>
internal sealed class SlaveChannels(Slave slave)
{
    /// <summary>The node's own channel on every worker connection: heartbeats and terminate.</summary>
    public const ulong Control = 1;

    private readonly ChannelTable<Job> _jobs = new();
    private ulong _last = Control;

    /// <summary>Open channels, those of jobs that were answered and that the worker has not closed yet included.</summary>
    public int Count => _jobs.Count;

    /// <summary>Those of them whose worker has not closed them in time after their jobs' answer.</summary>
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

    /// <summary>The worker has closed its side.</summary>
    public void Remove(Job job)
    {
        _jobs.Remove(job.SlaveChannel, out _);
        if (job.IsAbandoned)
        {
            Abandoned--;
        }
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
        SlaveLink link = slave.Link;
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
            SlaveLink link = slave.Link;
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
            MessageWriter.WriteClose(slave.Link.Sink, job.SlaveChannel);
            slave.Link.Flush();
        }
    }

    /// <summary>Tells the worker that its answer is not wanted any more; the channel stays until the worker has closed its side.</summary>
    public void Cancel(Job job, in JobError error)
    {
        // After our close an old worker would take an error for a broken protocol; one of ours takes it for the cancel that it is.
        if (!job.CancelSent && (!job.NodeSideEnded || slave.Link.PeerSpeaksBin))
        {
            job.NodeSideEnded = job.CancelSent = true;
            MessageWriter.WriteError(slave.Link.Sink, job.SlaveChannel, error.Category, error.Code, error.Reason);
            slave.Link.Flush();
        }
    }

    /// <summary>Answers every job on them, or those that are meant, with an error of ours.</summary>
    public void FailAll(int code, string reason, Predicate<Job>? isMeant = null)
    {
        foreach (Job job in _jobs.ToList())
        {
            if (isMeant is null || isMeant(job))
            {
                slave.Engine.Fail(job, code, reason);
            }
        }
    }

    /// <summary>A message of the worker; false when it breaks the protocol.</summary>
    public bool OnMessage(in MessageView message, out string? fault)
    {
        fault = null;
        ref readonly MessageLayout layout = ref message.Layout;
        if (_jobs.TryGet(layout.Channel, out Job? job))
        {
            switch (layout.Type)
            {
                case 0 when layout.Shape == ArgumentShape.Data:
                    JobAnswers.OnChunk(job, message.Data);
                    return true;
                case 1 when layout.Shape == ArgumentShape.Error:
                    slave.OnEnd(job, failed: true, new JobError(layout.Category, layout.Code, message.Text));
                    return true;
                case 2:
                    slave.OnEnd(job, failed: false, default);
                    return true;
                default:
                    fault = $"a message of type {layout.Type} with {layout.ArgumentCount} arguments on channel {layout.Channel}";
                    return false;
            }
        }

        return layout.Channel == Control ? OnControl(in layout, out fault) : OnLate(in layout, out fault);
    }

    private bool OnControl(in MessageLayout layout, out string? fault)
    {
        fault = null;
        switch (layout.Type)
        {
            case 0 when layout.ArgumentCount == 0:
                slave.Engine.Counters.HeartbeatsSeen++;
                slave.HasBeaten = true;
                MessageWriter.WriteHeartbeat(slave.Link.Sink);
                slave.Link.Flush();
                slave.Engine.Pool.Recycler.OnHeartbeat(slave);
                return true;
            case 1:
                slave.OnAsksToEnd();
                return true;
            default:
                fault = $"a message of type {layout.Type} with {layout.ArgumentCount} arguments on the control channel";
                return false;
        }
    }

    /// <summary>What comes after the worker's own close is of no interest, on a channel that there has been.</summary>
    private bool OnLate(in MessageLayout layout, out string? fault)
    {
        fault = layout.Channel <= _last && layout.Type <= 2 ? null
            : $"a message on channel {layout.Channel}, which was never opened";
        return fault is null;
    }
}
