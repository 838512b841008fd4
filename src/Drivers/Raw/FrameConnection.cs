using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Drivers.Raw;

/// <summary>
/// A connection whose frames are jobs. The jobs run side by side on the app's slaves, and are answered in the order in which the frames
/// came.
/// </summary>
internal sealed class FrameConnection : RawConnection
{
    /// <summary>The most bytes of an error's text, which is for people.</summary>
    private const int MaxErrorBytes = 4096;

    /// <summary>Set in the length of a length32 frame that is an error; no frame is long enough for it.</summary>
    private const uint ErrorBit = 0x8000_0000;

    private readonly AnswerQueue _answers;
    private readonly Framing _framing;
    private FrameReader _reader;
    private long _kept;            // answer bytes that wait for their turn
    private int _pressed;          // jobs whose slaves take their requests more slowly than they came

    public FrameConnection(RawServer server, int descriptor)
        : base(server, descriptor)
    {
        _framing = server.Framing;
        _reader = new FrameReader(_framing, server.MaxFrameBytes);
        _answers = new AnswerQueue(server);
    }

    public override void HandOver(RawServer next)
    {
        base.HandOver(next);
        _answers.Server = next;
    }

    protected override bool OwesAnswer => _answers.Count > 0;

    protected override bool WaitsForApp => _answers.Count > 0;

    /// <summary>With a full queue, a peer that has a job in flight waits: otherwise it would only get errors for being fast.</summary>
    protected override bool MayTake => _answers.Count < AnswerQueue.MaxCount && _pressed == 0 && Output.PendingBytes <= HighOutputBytes
        && !(_answers.Count > 0 && QueueIsFull);

    private bool QueueIsFull => Engine.Settings.QueueLimit > 0 && Engine.Queue.Count >= Engine.Settings.QueueLimit;

    /// <summary>Bytes of the oldest answer go out as they come, except in length32, which needs the length first.</summary>
    private bool StreamsFirst => _framing != Framing.Length32;

    public override void OnChunk(Job job, in Payload data)
    {
        Answer answer = _answers[job.CallerChannel];
        bool isFirst = _answers.IsFirst(answer);
        if (isFirst && StreamsFirst)
        {
            answer.HasBegun = true;
            Write(in data);
        }
        else if (!StreamsFirst && answer.Length + (long)data.Length > Server.MaxFrameBytes)
        {
            job.Engine.Fail(job, ErrorCodes.TooLarge, "the answer is longer than max-frame");
            return;
        }
        else
        {
            answer.Append(Server.Blocks, in data);
            _kept += data.Length;
        }

        long waiting = Output.PendingBytes + (isFirst ? 0 : _kept);
        if (IsBehind || waiting > HighOutputBytes)
        {
            HoldBack(job, answer, waiting);
        }
    }

    public override void OnDone(Job job) => End(job, AnswerState.Whole);

    public override void OnFailed(Job job, in JobError error)
    {
        Answer answer = _answers[job.CallerChannel];
        if (answer.HasBegun)
        {
            answer.Job = null;
            Abort("a job failed after its answer had begun");
            return;
        }

        // A text with one of the app's own codes is a matter between the app and its peers.
        ErrorHeaders headers = error.Category == ErrorCodes.Category ? error.HeadersOf(job) : default;
        SetError(answer, error.Code, error.Reason, in headers);
        End(job, AnswerState.Failed);
    }

    public override void OnRequestPressure(Job job, bool high)
    {
        SetPressed(_answers[job.CallerChannel], high);
        UpdateReading();
    }

    protected override long Take(in ReadOnlySequence<byte> buffer)
    {
        ReadOnlySequence<byte> rest = buffer;
        while (State == RawState.Taking && !rest.IsEmpty)
        {
            if (!MayTake)
            {
                PauseReading();
                break;
            }

            FrameLook look = _reader.Next(in rest, out ReadOnlySequence<byte> frame, out long size);
            if (look == FrameLook.More)
            {
                break;
            }

            if (look == FrameLook.TooLong)
            {
                Refuse(ErrorCodes.TooLarge, "longer than max-frame");
                break;
            }

            Submit(in frame);
            rest = rest.Slice(size);
        }

        return buffer.Length - rest.Length;
    }

    protected override void OnRequestsEnded(long rest)
    {
        if (rest > 0)
        {
            Server.OnMalformed(this, "it ended within a frame"); // an incomplete command does not run
        }

        Finish();
    }

    protected override void OnUnfinished(int code, string problem) => EndWith(code, problem);

    protected override void Abandon()
    {
        while (_answers.Count > 0)
        {
            if (_answers.First.Job is { } job)
            {
                _answers.First.Job = null;
                job.Engine.Cancel(job, "the peer went away"u8, clientGone: true);
            }

            _answers.RemoveFirst();
        }
    }

    protected override void OnRoom()
    {
        if (_answers.Count > 0)
        {
            _answers.First.LetGo();
        }
    }

    private void Submit(in ReadOnlySequence<byte> frame)
    {
        Server.Counters.Frames++;
        Answer answer = _answers.Add();
        if (!Server.Admits(Gate, out DoorRefusal denied))
        {
            Fail(answer, denied.Code, denied.Text, denied.Headers);
            return;
        }

        Job? job = Engine.Submit(this, _answers.Last, Server.Monitor, Server.Method, default, default, out JobRefusal refusal);
        if (job is null)
        {
            Server.OnRefused(this, refusal.Reason);
            Fail(answer, refusal.Code, refusal.Reason, refusal.Headers);
            return;
        }

        answer.Job = job;
        job.Engine.AddChunk(job, new Payload(in frame));
        if (answer.Job == job)
        {
            job.Engine.EndRequest(job);
        }
    }

    /// <summary>The framing is broken: the error comes after the answers that are owed, and then the connection ends.</summary>
    private void Refuse(int code, string problem)
    {
        Server.OnMalformed(this, problem);
        EndWith(code, problem);
    }

    private void EndWith(int code, string problem)
    {
        Fail(_answers.Add(), code, problem);
        Finish();
    }

    private void Fail(Answer answer, int code, string reason, in ErrorHeaders headers = default)
    {
        SetError(answer, code, System.Text.Encoding.UTF8.GetBytes(reason), in headers);
        answer.State = AnswerState.Failed;
        WriteReady();
    }

    private void End(Job job, AnswerState state)
    {
        Answer answer = _answers[job.CallerChannel];
        answer.Job = null;
        answer.State = state;
        answer.LetGo();
        SetPressed(answer, false);
        if (_answers.IsFirst(answer))
        {
            WriteReady();
        }

        UpdateReading();
    }

    /// <summary>Writes the answers that are due.</summary>
    private void WriteReady()
    {
        while (_answers.Count > 0 && _answers.First is { State: not AnswerState.Open } answer)
        {
            if (_framing == Framing.None && answer.State == AnswerState.Failed)
            {
                DropOthers(); // this framing can only show an error by an end in place of the answer
                Finish();
                ScheduleSend();
                return;
            }

            WriteWhole(answer);
            _answers.RemoveFirst();
        }

        if (_answers.Count == 0)
        {
            return;
        }

        Answer first = _answers.First;
        if (StreamsFirst && first.Length > 0)
        {
            first.HasBegun = true;
            WriteKept(first);
        }

        if (Output.PendingBytes <= HighOutputBytes)
        {
            first.LetGo();
        }
    }

    private void WriteWhole(Answer answer)
    {
        if (_framing == Framing.Length32)
        {
            Span<byte> prefix = stackalloc byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32BigEndian(prefix, (uint)answer.Length | (answer.State == AnswerState.Failed ? ErrorBit : 0));
            Write(new Payload(prefix));
        }

        WriteKept(answer);
        if (_framing == Framing.Line)
        {
            Write(new Payload("\n"u8));
        }

        ScheduleSend();
    }

    private void WriteKept(Answer answer)
    {
        if (answer.Length > 0)
        {
            Write(new Payload(answer.Bytes));
            _kept -= answer.Length;
            answer.Clear(Server.Blocks);
        }
    }

    /// <summary>
    /// Puts the text of an error in place of the answer: <c>error CODE REASON (job 17; retry after 2 s)</c>, on one line.
    /// </summary>
    private void SetError(Answer answer, int code, ReadOnlySpan<byte> reason, in ErrorHeaders headers)
    {
        _kept -= answer.Length;
        answer.Clear(Server.Blocks);
        Span<byte> number = stackalloc byte[16];
        Utf8Formatter.TryFormat(code, number, out int digits);
        answer.Append(Server.Blocks, new Payload("error "u8));
        answer.Append(Server.Blocks, new Payload(number[..digits]));
        answer.Append(Server.Blocks, new Payload(" "u8));
        byte[] text = reason[..Math.Min(reason.Length, MaxErrorBytes)].ToArray();
        foreach (ref byte one in text.AsSpan())
        {
            one = one < (byte)' ' ? (byte)' ' : one;
        }

        answer.Append(Server.Blocks, new Payload(text));
        Span<byte> note = stackalloc byte[ErrorHeaders.MaxNoteBytes];
        answer.Append(Server.Blocks, new Payload(note[..headers.WriteNote(note)]));
        _kept += answer.Length;
    }

    private static void HoldBack(Job job, Answer answer, long waiting)
    {
        answer.Hold(job);
        if (waiting > MaxOutputBytes)
        {
            job.Engine.Fail(job, ErrorCodes.ResourceError, "the peer reads its answers too slowly");
        }
    }

    private void SetPressed(Answer answer, bool high)
    {
        if (answer.IsPressed != high)
        {
            answer.IsPressed = high;
            _pressed += high ? 1 : -1;
        }
    }

    private void DropOthers()
    {
        _kept = 0;
        Abandon();
    }
}
