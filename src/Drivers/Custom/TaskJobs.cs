using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.Publishing;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.Custom;

/// <summary>The way of a <see cref="CustomDriver"/> to the jobs of its task. Its methods may be called from any thread.</summary>
public sealed class TaskJobs
{
    /// <summary>
    /// The most jobs on their way to the loop: the number that it takes in a few milliseconds. The app's queue has its own bound after
    /// that.
    /// </summary>
    private const int MaxOnTheWay = 16_384;

    private readonly DriverContext _context;
    private readonly PublishingCaller _publishing;
    private int _onTheWay;
    private volatile bool _closed;

    internal TaskJobs(DriverContext context)
    {
        _context = context;
        _publishing = new PublishingCaller(context);
        Method = System.Text.Encoding.UTF8.GetBytes(context.Task.Name);
    }

    /// <summary>The app's name.</summary>
    public string App => _context.Engine.Name;

    /// <summary>The task from the manifest, with the driver's keys.</summary>
    public TaskManifest Task => _context.Task;

    /// <summary>The app's log.</summary>
    public ILogger Log => _context.Log;

    internal DriverContext Context => _context;

    internal TaskMonitor Monitor => _publishing.Monitor;

    internal byte[] Method { get; }

    /// <summary>Makes a job without a waiting caller: its results and its error are published on the app's pubsub socket.</summary>
    /// <param name="request">The request; the bytes are copied before the method returns.</param>
    /// <returns>False when too many jobs are on their way, or the app has ended: the job was not made.</returns>
    public bool Post(ReadOnlySpan<byte> request) => TryPost(new PostedJob(this, request.ToArray()));

    /// <summary>Makes a job and returns the chunks of its answer, once the answer is whole.</summary>
    /// <param name="request">The request, which must not change until the returned task has completed.</param>
    /// <param name="cancellation">Gives the job up: the job is taken from the queue, or its worker is told.</param>
    /// <exception cref="JobException">The job was refused or failed.</exception>
    public Task<IReadOnlyList<byte[]>> CallAsync(ReadOnlyMemory<byte> request, CancellationToken cancellation = default)
    {
        CustomCall call = new(this, request, cancellation);
        if (!TryPost(call))
        {
            call.Refuse(_closed ? ErrorCodes.ServerError : ErrorCodes.ResourceError,
                _closed ? "the app is not running" : $"{MaxOnTheWay} jobs are on their way to the app already");
        }

        return call.Answer;
    }

    internal void Close() => _closed = true;

    internal void Arrived() => Interlocked.Decrement(ref _onTheWay);

    private bool TryPost(LoopWork work)
    {
        if (_closed)
        {
            return false;
        }

        if (Interlocked.Increment(ref _onTheWay) > MaxOnTheWay)
        {
            Arrived();
            return false;
        }

        _context.Loop.Post(work);
        return true;
    }

    private sealed class PostedJob(TaskJobs jobs, byte[] request) : LoopWork
    {
        public override void Run()
        {
            jobs.Arrived();
            jobs._publishing.TrySubmit(request);
        }
    }
}
