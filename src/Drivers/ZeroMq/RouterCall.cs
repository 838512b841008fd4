using System.Text;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// A job that came through a ROUTER; its answer goes out in parts as they come, each of them a record when the body was sealed. Pooled by
/// its driver.
/// </summary>
internal abstract class RouterCall(RouterDriver driver) : IJobCaller
{
    private SealedBody? _kept;              // of the call's former sealed bodies
    private SealedBody? _seal;              // of this body; null when it is not sealed
    private SealedText? _onText;            // made once
    private ZeroMqConnection _peer = null!; // valid until the job is made; may have ended
    private JobPolicy _policy;
    private int _droppedBefore;

    /// <summary>The way of the answer. Valid from Run to the end of the answer.</summary>
    protected Route Route { get; private set; } = null!;

    protected RouterDriver Driver { get; } = driver;

    /// <summary>The reason in an error whose text is in the record before it.</summary>
    private static ReadOnlySpan<byte> HiddenReason => "sealed"u8;

    /// <summary>Makes the job of a body, at once or after its session was opened. A job that is refused is answered.</summary>
    public void Run(Route route, ZeroMqConnection peer, scoped in Payload body, in JobPolicy policy)
    {
        (Route, _peer, _policy, _droppedBefore) = (route, peer, policy, route.Dropped);
        route.Pending++;
        if (Driver.Sealed != SealMode.No && SealedFrame.Is(in body))
        {
            OpenSeal(in body);
        }
        else if (Driver.Sealed == SealMode.Required)
        {
            OnText(SealFault.NotSealed, default);
        }
        else if (Driver.Sealed == SealMode.Accepted && !Driver.Admits(peer, out DoorRefusal denied))
        {
            WriteRefusal(denied.Code, denied.Text, denied.Headers);
            End();
        }
        else if (!TrySubmit(in body, out JobRefusal refusal))
        {
            WriteRefusal(refusal.Code, refusal.Reason, refusal.Headers);
            End();
        }
    }

    public void OnChunk(Job job, in Payload data)
    {
        if (Route.Dropped != _droppedBefore)
        {
            // The dropped part may have belonged to this job: an answer with a hole in it must not end as if it were whole.
            job.Engine.Fail(job, ErrorCodes.ResourceError, "the client does not read its answers: some were dropped");
        }
        else if (_seal is null)
        {
            WriteChunk(in data);
        }
        else if (_seal.Seal(RecordKind.More, data) is { IsEmpty: false } frame)
        {
            WriteChunk(new Payload(frame));
        }
        else
        {
            job.Engine.Fail(job, ErrorCodes.Unauthenticated, SealFaults.TextOf(SealFault.UnknownSession));
        }
    }

    public void OnDone(Job job)
    {
        if (Route.Dropped != _droppedBefore)
        {
            JobError dropped = new(
                ErrorCodes.Category, ErrorCodes.ResourceError, "the client does not read its answers: some were dropped"u8);
            OnFailed(job, in dropped);
            return;
        }

        if (_seal is not null)
        {
            WriteChunk(new Payload(_seal.Seal(RecordKind.Last, default)));
        }

        WriteEnd();
        End();
    }

    public void OnFailed(Job job, in JobError error)
    {
        if (_seal is null)
        {
            WriteError(job, in error);
        }
        else
        {
            WriteChunk(new Payload(_seal.SealError(error.Category, error.Code, error.Reason)));
            JobError hidden = new(error.Category, error.Code, HiddenReason, error.RetryAfterS, error.Cause);
            WriteError(job, in hidden);
        }

        End();
    }

    public void OnRequestPressure(Job job, bool high)
    {
        // The request was whole before: no caller has to be held back.
    }

    protected abstract void WriteChunk(in Payload data);

    protected abstract void WriteEnd();

    protected abstract void WriteError(Job job, in JobError error);

    /// <summary>Answers a body that has become no job.</summary>
    protected abstract void WriteRefusal(int code, string reason, in ErrorHeaders headers);

    /// <summary>The answer is out: the call goes back to its pool.</summary>
    protected abstract void Free();

    private void OpenSeal(scoped in Payload body)
    {
        if (!SealedBody.TryTie(in _policy, out SealPolicy wishes))
        {
            WriteRefusal(ErrorCodes.BadRequest, SealedBody.HasDeadline, default);
            End();
            return;
        }

        SealedBody seal = _kept ??= new SealedBody(Driver.Context.Loop, Driver.Engine.Name, Driver.Method);
        _onText ??= OnText;
        seal.Open(in body, in wishes, Driver.Seals.Worker, _onText);
    }

    /// <summary>A sealed body was opened, or cannot be: now, or after its session was opened.</summary>
    private void OnText(SealFault fault, ReadOnlySpan<byte> text)
    {
        if (fault != SealFault.None)
        {
            Driver.DenySeal(_peer, fault);
            ErrorHeaders headers = new() { RetryAfterS = SealFaults.RetryAfterS(fault) };
            WriteRefusal(SealFaults.CodeOf(fault), SealFaults.TextOf(fault), in headers);
            End();
            return;
        }

        _seal = _kept;
        JobRefusal refusal = default;
        bool isJob = false;
        if (!Driver.AdmitsSealed(_peer, _seal!.KeyName, out DoorRefusal denied))
        {
            refusal = new JobRefusal(denied.Code, denied.Text, JobId: 0);
        }
        else
        {
            isJob = TrySubmit(new Payload(text), out refusal);
        }

        if (!isJob)
        {
            WriteChunk(new Payload(_seal.SealError(ErrorCodes.Category, refusal.Code, Encoding.UTF8.GetBytes(refusal.Reason))));
            WriteRefusal(refusal.Code, "sealed", refusal.Headers);
            End();
        }
    }

    private bool TrySubmit(scoped in Payload request, out JobRefusal refusal)
    {
        Job? job = Driver.Engine.Submit(this, 0, Driver.Monitor, Driver.Method, in _policy, default, out refusal);
        if (job is null)
        {
            return false;
        }

        if (request.Length > 0)
        {
            job.Engine.AddChunk(job, in request);
        }

        job.Engine.EndRequest(job);
        return true;
    }

    private void End()
    {
        Route.Pending--;
        (Route, _peer, _seal) = (null!, null!, null);
        Free();
    }
}
