using System.Text;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Drivers.Custom;

/// <summary>One job of a custom driver that waits for the answer. Everything except <see cref="Refuse"/> happens on the loop.</summary>
internal sealed class CustomCall : LoopWork, IJobCaller
{
    /// <summary>The most bytes of an answer that is kept whole: one message of the largest size.</summary>
    private const long MaxAnswerBytes = 64L << 20;

    private readonly TaskJobs _jobs;
    private readonly ReadOnlyMemory<byte> _request;
    private readonly CancellationToken _cancellation;
    private readonly TaskCompletionSource<IReadOnlyList<byte[]>> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<byte[]> _chunks = [];
    private CancellationTokenRegistration _registration;
    private long _answerBytes;
    private Job? _job; // set from Run until the answer

    public CustomCall(TaskJobs jobs, ReadOnlyMemory<byte> request, CancellationToken cancellation)
    {
        _jobs = jobs;
        _request = request;
        _cancellation = cancellation;
    }

    public Task<IReadOnlyList<byte[]>> Answer => _answer.Task;

    public override void Run()
    {
        _jobs.Arrived();
        if (_cancellation.IsCancellationRequested)
        {
            _answer.TrySetCanceled(_cancellation);
            return;
        }

        AppEngine engine = _jobs.Context.Engine;
        _job = engine.Submit(this, 0, _jobs.Monitor, _jobs.Method, default, default, out JobRefusal refusal);
        if (_job is not { } job)
        {
            Refuse(refusal.Code, refusal.Reason, refusal.Headers);
            return;
        }

        if (_cancellation.CanBeCanceled)
        {
            _registration = _cancellation.UnsafeRegister(static call => ((CustomCall)call!).PostCancel(), this);
        }

        if (!_request.IsEmpty)
        {
            engine.AddChunk(job, new Payload(_request.Span));
        }

        if (_job is not null) // a job with a too large request has failed by now
        {
            engine.EndRequest(job);
        }
    }

    public void Refuse(int code, string reason, in ErrorHeaders headers = default) =>
        _answer.TrySetException(Failure(ErrorCodes.Category, code, reason, in headers));

    public void OnChunk(Job job, in Payload data)
    {
        _answerBytes += data.Length;
        if (_answerBytes > MaxAnswerBytes)
        {
            job.Engine.Fail(
                job, ErrorCodes.TooLarge, $"the answer is longer than the {MaxAnswerBytes} bytes that are kept of one");
            return;
        }

        _chunks.Add(data.ToArray());
    }

    public void OnDone(Job job)
    {
        End();
        _answer.TrySetResult(_chunks);
    }

    public void OnFailed(Job job, in JobError error)
    {
        End();
        _answer.TrySetException(Failure(error.Category, error.Code, Encoding.UTF8.GetString(error.Reason), error.HeadersOf(job)));
    }

    public void OnRequestPressure(Job job, bool high)
    {
        // The request was whole before: no caller has to be held back.
    }

    private static JobException Failure(int category, int code, string reason, in ErrorHeaders headers) => new(category, code, reason)
    {
        JobId = headers.JobId,
        RetryAfter = headers.RetryAfterS > 0 ? TimeSpan.FromSeconds(headers.RetryAfterS) : null,
    };

    private void End()
    {
        _job = null;
        _registration.Unregister(); // does not wait for a running cancel, which will find no job
    }

    private void PostCancel() => _jobs.Context.Loop.Post(() =>
    {
        if (_job is { } job)
        {
            End();
            job.Engine.Cancel(job, "the driver gave the job up"u8);
            _answer.TrySetCanceled(_cancellation);
        }
    });
}
