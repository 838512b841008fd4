using System.Text;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;

namespace Cocaine.Fast.Node.Quarantine;

/// <summary>One more run of a quarantined job, as a new job of its app. All members except the task live on the app's loop.</summary>
internal sealed class Replay(RunningApp app, StoredJob stored, Action<ulong> begun, CancellationToken cancellation) : IJobCaller
{
    /// <summary>The most bytes of the answer: one message of the largest size.</summary>
    private const long MaxAnswerBytes = 64L << 20;

    private readonly TaskCompletionSource<IReadOnlyList<byte[]>> _answer = new();
    private readonly List<byte[]> _chunks = [];
    private AppEngine? _engine; // set from Begin on
    private Job? _job;          // set from Begin until the answer
    private long _answerBytes;

    /// <summary>The new job's number; valid once the job was begun.</summary>
    public ulong JobId { get; private set; }

    /// <summary>The chunks of the job's answer.</summary>
    /// <exception cref="NodeException">The job failed, or was refused.</exception>
    public async Task<IReadOnlyList<byte[]>> RunAsync()
    {
        app.Loop.Post(Begin);
        using CancellationTokenRegistration registration = cancellation.UnsafeRegister(_ => app.Loop.Post(Cancel), null);
        return await _answer.Task;
    }

    public void OnChunk(Job job, in Payload data)
    {
        _answerBytes += data.Length;
        if (_answerBytes > MaxAnswerBytes)
        {
            _engine!.Fail(job, ErrorCodes.TooLarge, $"the answer is longer than the {MaxAnswerBytes} bytes that are kept of one");
            return;
        }

        _chunks.Add(data.ToArray());
    }

    public void OnDone(Job job)
    {
        _job = null;
        NodeThreads.Complete(_answer, _chunks);
    }

    public void OnFailed(Job job, in JobError error)
    {
        _job = null;
        Fail($"it failed again, as job {job.Id}: {error.Code} {Encoding.UTF8.GetString(error.Reason)}");
    }

    public void OnRequestPressure(Job job, bool high)
    {
        // The request was whole before: no caller has to be held back.
    }

    private void Begin()
    {
        if (cancellation.IsCancellationRequested)
        {
            NodeThreads.Post(() => _answer.TrySetCanceled(cancellation));
            return;
        }

        byte[] name = Encoding.UTF8.GetBytes(stored.Event);
        if (name.Length > OpeningBounds.MaxNameBytes)
        {
            Fail($"its event's name is longer than {OpeningBounds.MaxNameBytes} bytes"); // written by hand, or of bytes that are no text
            return;
        }

        _engine = app.Engine;
        TaskMonitor monitor = new(stored.Task, sparse: true);
        JobPolicy policy = stored.Policy;
        _job = _engine.Submit(
            this, 0, monitor, name, in policy, stored.Headers, out JobRefusal refusal);
        if (_job is not { } job)
        {
            Fail($"it was refused: {refusal.Code} {refusal.Reason}");
            return;
        }

        JobId = job.Id;
        begun(job.Id);
        ReadOnlySpan<byte> rest = stored.Payload.Span;
        foreach (int length in stored.ChunkBytes)
        {
            if (_job is null)
            {
                return; // a job with a too large request has failed by now
            }

            _engine.AddChunk(job, new Payload(rest[..length]));
            rest = rest[length..];
        }

        if (_job is not null)
        {
            _engine.EndRequest(job);
        }
    }

    private void Cancel()
    {
        if (_job is { } job)
        {
            _job = null;
            _engine!.Cancel(job, "the replay was given up"u8);
            NodeThreads.Post(() => _answer.TrySetCanceled(cancellation));
        }
    }

    private void Fail(string reason) => NodeThreads.Post(() => _answer.TrySetException(new NodeException($"{stored.Id}: {reason}")));
}
