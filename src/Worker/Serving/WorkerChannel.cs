using System.Diagnostics.CodeAnalysis;
using Cocaine.Fast.Core.Memory;

namespace Cocaine.Fast.Worker.Serving;

/// <summary>
/// One job on this worker. Its session pools it; <see cref="JobHolders"/> decides when its request and response are pooled, too.
/// </summary>
internal sealed class WorkerChannel
{
    private readonly LoopInbox _inbox;
    private readonly AnswerWriter _answers;
    private readonly UnreadBytes _unread;
    private readonly LoopSeat _seat;
    private readonly ReadyHandlers _ready;
    private readonly BlockPool _blocks;

    /// <param name="inbox">Calls of other threads.</param>
    /// <param name="answers">The way to the node.</param>
    /// <param name="unread">Bounds the unread bytes.</param>
    /// <param name="seat">Knows the loop's thread.</param>
    /// <param name="ready">Gets handlers that may go on.</param>
    /// <param name="blocks">The slave's blocks for long requests.</param>
    /// <param name="onDone">Called when <see cref="Running"/> is done, on any thread.</param>
    public WorkerChannel(
        LoopInbox inbox, AnswerWriter answers, UnreadBytes unread, LoopSeat seat, ReadyHandlers ready, BlockPool blocks,
        Action<WorkerChannel> onDone)
    {
        _blocks = blocks;
        _inbox = inbox;
        _answers = answers;
        _unread = unread;
        _seat = seat;
        _ready = ready;
        Continue = () => onDone(this);
        Holders = new JobHolders(inbox);
        Renew();
    }

    public ulong Number { get; private set; }

    public AppEvent Event { get; private set; } = null!;

    public JobHolders Holders { get; }

    public Request Request { get; private set; }

    public Response Response { get; private set; }

    /// <summary>The waits of the job's writers.</summary>
    public AnswerHold Hold { get; private set; }

    /// <summary>The handler has returned or failed, and this worker's terminal message is written.</summary>
    public bool Ended { get; private set; }

    /// <summary>The node has sent its terminal message.</summary>
    public bool NodeEnded { get; set; }

    /// <summary>The handler's task, while the handler waits.</summary>
    public ValueTask Running { get; set; }

    /// <summary>The start of the handler, ms; 0 before. For reports, from any thread.</summary>
    public long StartedMs { get; set; }

    /// <summary>Continues when <see cref="Running"/> is done. Made once for each channel, so that a job makes none.</summary>
    public Action Continue { get; }

    /// <summary>Begins the next job.</summary>
    public void Begin(ulong number, AppEvent called, ReadOnlySpan<byte> headers)
    {
        Number = number;
        Event = called;
        Ended = NodeEnded = false;
        StartedMs = 0;
        Holders.Begin(called.Use);
        Hold.Begin();
        Request.Begin(number, called.Name, headers, isStream: !called.NeedsWhole);
        Response.Begin(number);
    }

    /// <summary>This worker's side has ended.</summary>
    public void EndOurs()
    {
        Ended = true;
        Request.Drop(); // now, because while too many bytes are unread, the node's end of this job is not read either
    }

    /// <summary>The job is over: its objects take no more calls, and serve the next job when no code can have kept them.</summary>
    public void End()
    {
        Holders.LeaveHandler();
        bool isClean = Request.End() && !Hold.IsInUse && Holders.Sharing == Sharing.Nobody;
        Response.End();
        Hold.Cancel(JobCancelledException.OfEnd);
        if (!isClean && Event.SharesObjects)
        {
            Renew();
        }
        else
        {
            Request.Reset();
        }
    }

    [MemberNotNull(nameof(Request), nameof(Response), nameof(Hold))]
    private void Renew()
    {
        Hold = new AnswerHold(_seat, _answers, _ready, Holders);
        Request = new Request(Holders, _unread, _ready, _blocks);
        Response = new Response(Holders, _answers, _inbox, Hold);
    }
}
