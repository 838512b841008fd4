using System.Text;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers.Base;

namespace Cocaine.Fast.Drivers.Publishing;

/// <summary>Makes the jobs of a publishing driver and publishes their answers: no client waits for them.</summary>
internal class PublishingCaller(DriverContext context) : IJobCaller
{
    private readonly byte[] _method = Encoding.UTF8.GetBytes(context.Task.Name);
    private ulong _jobs;

    public TaskMonitor Monitor { get; } = new(context.Task.Name, sparse: true);

    /// <summary>Jobs that the engine refused: its queue was full, or it was not running.</summary>
    public long Dropped { get => Monitor.Counts.Dropped; private set => Monitor.Counts.Dropped = value; }

    /// <summary>Jobs under way.</summary>
    public int Pending { get; private set; }

    /// <inheritdoc cref="TrySubmit(in Payload, in JobPolicy, bool, ReadOnlySpan{byte})"/>
    public bool TrySubmit(
        ReadOnlySpan<byte> request, in JobPolicy policy = default, bool publishRefusal = true, ReadOnlySpan<byte> headers = default) =>
        TrySubmit(new Payload(request), in policy, publishRefusal, headers);

    /// <summary>
    /// Makes a job of a whole request. A refusal is counted, and published when <paramref name="publishRefusal"/> says so.
    /// </summary>
    public bool TrySubmit(
        scoped in Payload request, in JobPolicy policy = default, bool publishRefusal = true, ReadOnlySpan<byte> headers = default)
    {
        Job? job = context.Engine.Submit(this, ++_jobs, Monitor, _method, in policy, headers, out JobRefusal refusal);
        if (job is null)
        {
            if (publishRefusal)
            {
                Refuse(refusal.Code, refusal.Reason, refusal.Headers);
            }
            else
            {
                Dropped++;
            }

            return false;
        }

        Pending++;
        if (request.Length > 0)
        {
            job.Engine.AddChunk(job, in request);
        }

        job.Engine.EndRequest(job);
        return true;
    }

    /// <summary>Counts a job that could not be made, and publishes why.</summary>
    public void Refuse(int code, string reason, in ErrorHeaders headers = default)
    {
        Dropped++;
        context.Publisher.PublishError(context.Task.Name, ErrorCodes.Category, code, reason, in headers);
    }

    /// <inheritdoc/>
    public virtual void OnChunk(Job job, in Payload data) =>
        context.Publisher.PublishChunk(context.Task.Name, data.IsContiguous ? data.Span : data.ToArray());

    /// <inheritdoc/>
    public virtual void OnDone(Job job) => Pending--;

    /// <inheritdoc/>
    public virtual void OnFailed(Job job, in JobError error)
    {
        Pending--;
        context.Publisher.PublishError(
            context.Task.Name, error.Category, error.Code, Encoding.UTF8.GetString(error.Reason), error.HeadersOf(job));
    }

    /// <inheritdoc/>
    public void OnRequestPressure(Job job, bool high)
    {
        // The request was whole before: no caller has to be held back.
    }
}
