using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>
/// The answers of a client's jobs: on their way to the client, kept while the client holds them, sealed when the calls are. Back-pressure
/// in both directions is here, too.
/// </summary>
internal abstract class NativeAnswers : NativeDoor, IJobCaller, ISlowClient
{
    private Job? _pausedFor;        // reading is paused until this job's slave has room

    protected NativeAnswers(NativeServer server, int descriptor)
        : base(server, descriptor) => SlowReader = new SlowReader(this, this);

    internal override bool IsBusy => base.IsBusy || HeldBytes > 0;

    /// <summary>Bytes that are kept of answers that the client holds.</summary>
    internal long HeldBytes => Flow?.KeptBytes ?? 0;

    /// <summary>Tells the client the load; null when the client has not asked.</summary>
    protected LoadStream? Loads { get; set; }

    protected SlowReader SlowReader { get; }

    /// <summary>Null until the client has offered flow control.</summary>
    protected ClientFlow? Flow { get; set; }

    /// <summary>Null until the client has sealed a call.</summary>
    protected SealedCalls? Seals { get; set; }

    public virtual void OnChunk(Job job, in Payload data)
    {
        if (Seals is not null && Seals.TryGet(job.CallerChannel, out SealedRequest? request))
        {
            Seals.SendChunk(request, job, in data);
        }
        else
        {
            Send(job, in data);
        }
    }

    public virtual void OnDone(Job job)
    {
        Loads?.OnEnd();
        Seals?.SendEnd(job);
        if (Flow is null || !Flow.KeepClose(job))
        {
            MessageWriter.WriteClose(Output, job.CallerChannel);
            ScheduleSend();
        }

        Leave(job);
    }

    public virtual void OnFailed(Job job, in JobError error)
    {
        Loads?.OnEnd();
        if (Seals is not null && Seals.TryGet(job.CallerChannel, out SealedRequest? request))
        {
            SendError(job, Seals.SendError(request, job, in error));
        }
        else
        {
            SendError(job, in error);
        }

        Leave(job);
    }

    public void OnRequestPressure(Job job, bool high)
    {
        // Other channels of this client go on while the slave has a backlog, but not when the node keeps much of this one for its handler.
        if (Flow is not null)
        {
            Flow.HoldRequest(job, high);
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

    /// <summary>Sends a chunk of an answer as it is, or keeps it while the client holds the answer.</summary>
    public void Send(Job job, in Payload data)
    {
        if (Flow is not null && Flow.Keep(job, in data))
        {
            return;
        }

        MessageWriter.WriteChunk(Output, job.CallerChannel, in data, PeerSpeaksBin);
        ScheduleSend();
        SlowReader.OnChunk(job);
    }

    /// <inheritdoc/>
    public void Resume()
    {
        if (_pausedFor is null && !SlowReader.PausesReading && Seals is not { IsOpening: true })
        {
            ResumeReading();
        }
    }

    /// <inheritdoc/>
    public void OnStalled(int seconds)
    {
        NativeLog.Stalled(Server.Context.Log, Server.Context.Engine.Name, Server.Context.Task.Name, PeerName, seconds);
        Close("the client does not read its answers");
    }

    /// <summary>The job is no longer this client's.</summary>
    public void Forget(Job job)
    {
        Flow?.Drop(job.CallerChannel);
        Leave(job);
    }

    /// <summary>Refuses a request because of its seal.</summary>
    public void RefuseSeal(ulong channel, SealFault fault, ulong jobId)
    {
        Server.SealsRefused++;
        Gate.DenySeal(SealFaults.CauseOf(fault));
        ErrorHeaders headers = new() { JobId = jobId, RetryAfterS = SealFaults.RetryAfterS(fault) };
        Refuse(channel, SealFaults.CodeOf(fault), SealFaults.TextOf(fault), in headers);
    }

    protected override void OnSent()
    {
        SlowReader.OnSent();
        Flow?.OnSent();
    }

    /// <summary>Ends the client's channel without waiting for the job, which no longer belongs to the client.</summary>
    protected void Accept(Job job)
    {
        Seals?.SendEnd(job);
        MessageWriter.WriteClose(Output, job.CallerChannel);
        Forget(job);
        ScheduleSend();
        SlowReader.OnMore();
    }

    /// <summary>The client hears no more of the load.</summary>
    protected void EndLoads()
    {
        Loads?.End();
        Loads = null;
    }

    /// <summary>The connection has ended: nobody wants the answers.</summary>
    protected void DropAnswers()
    {
        EndLoads();
        Flow?.Clear();
        Seals?.Clear();
        foreach (Job job in Channels.TakeAll())
        {
            job.Engine.Cancel(job, "the client went away"u8, clientGone: true);
        }

        _pausedFor = null;
        SlowReader.ReleaseSlaves();
    }

    protected sealed override void Refuse(ulong channel, int code, string reason, in ErrorHeaders headers = default) =>
        Refuse(channel, ErrorCodes.Category, code, reason, in headers);

    protected void Refuse(ulong channel, int category, int code, string reason, in ErrorHeaders headers)
    {
        MessageWriter.WriteError(Output, channel, category, code, reason, in headers);
        ScheduleSend();
        SlowReader.OnMore();
    }

    /// <summary>The pair by which the client knows an error: this product's clients, which offer flow control, know the node's.</summary>
    protected (int Category, int Code) PairOf(int category, int code, ErrorCause cause) =>
        (Flow is null ? PublicErrors.PairOf(cause) : null) ?? (category, code);

    private void SendError(Job job, in JobError error)
    {
        ErrorHeaders headers = error.HeadersOf(job);
        if (Flow is null || !Flow.KeepError(job, in error, in headers))
        {
            bool wasRefused = Loads is not null && error.Cause == ErrorCause.QueueFull && job.Runs == 0;
            (int category, int code) = wasRefused ? (ErrorCodes.RefusedCategory, error.Code)
                : PairOf(error.Category, error.Code, error.Cause);
            MessageWriter.WriteError(Output, job.CallerChannel, category, code, error.Reason, in headers);
            ScheduleSend();
        }
    }

    /// <summary>The job no longer has a channel here.</summary>
    private void Leave(Job job)
    {
        Channels.Remove(job.CallerChannel, out _);
        Seals?.Remove(job.CallerChannel);
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
