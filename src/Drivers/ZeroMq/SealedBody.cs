using System.Text;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>Gets a sealed body when its session is there: at once, or after the worker has opened it.</summary>
/// <param name="fault">The fault; then there is no text.</param>
/// <param name="text">The request.</param>
internal delegate void SealedText(SealFault fault, ReadOnlySpan<byte> text);

/// <summary>
/// The seal of one job that came in a frame: opens its request, and seals the frames of its answer. Reused from job to job, on one loop.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="app">The app's name.</param>
/// <param name="method">The event that the task's jobs call.</param>
internal sealed class SealedBody(EventLoop loop, string app, byte[] method)
{
    /// <summary>The reason why a body that has a deadline in its envelope cannot be sealed.</summary>
    public const string HasDeadline = "a sealed body has no deadline in its envelope, where anybody could change it";

    private readonly SealedCall _call = new();
    private readonly byte[] _app = Encoding.UTF8.GetBytes(app);
    private SealPolicy _wishes;

    /// <summary>The name of the key that has sealed the request. Valid once the text is there.</summary>
    public string KeyName => _call.Session.Name;

    /// <summary>
    /// The wishes of an envelope that the seal of its body is tied to. False with a deadline: that is a time of day, of which the job gets
    /// the rest.
    /// </summary>
    public static bool TryTie(in JobPolicy envelope, out SealPolicy wishes)
    {
        long? silence = envelope.SilenceTimeoutMs > 0 ? envelope.SilenceTimeoutMs : null;
        wishes = new SealPolicy(null, silence, null, envelope.Urgent);
        return envelope.DeadlineMs == 0;
    }

    /// <summary>Opens a frame; the result comes once.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="wishes">The wishes around the frame, to which the seal is tied.</param>
    /// <param name="worker">Has the sessions.</param>
    /// <param name="onText">Gets the request.</param>
    public void Open(in Payload frame, in SealPolicy wishes, SealWorker worker, SealedText onText)
    {
        _wishes = wishes;
        byte[]? copy = frame.IsContiguous ? null : frame.ToArray();
        ReadOnlySpan<byte> bytes = copy ?? frame.Span;
        if (!SealedFrame.TrySplit(bytes, out ReadOnlySpan<byte> opening, out ReadOnlySpan<byte> record))
        {
            onText(SealFault.CannotOpen, default);
        }
        else if (!opening.IsEmpty)
        {
            OpenSession(opening.ToArray(), record.ToArray(), worker, onText);
        }
        else if (!TryOpenRecord(record, worker, onText))
        {
            Await(record.ToArray(), worker, onText);
        }
    }

    /// <summary>
    /// Seals a frame of the answer; good until the next frame of the thread. Empty when the session has had its last record.
    /// </summary>
    public ReadOnlySpan<byte> Seal(RecordKind kind, scoped Payload text)
    {
        Span<byte> frame = RecordScratch.Out.Take(SealedFrame.HeadBytes + text.Length + SealSession.OverheadBytes);
        SealedFrame.WriteHead(frame);
        return _call.Seal(kind, in text, frame[SealedFrame.HeadBytes..]) ? frame : default;
    }

    /// <summary>Seals the error that ends the answer.</summary>
    public ReadOnlySpan<byte> SealError(int category, int code, ReadOnlySpan<byte> reason)
    {
        Span<byte> text = stackalloc byte[SealedError.MaxBytes];
        int length = SealedError.Write(text, category, code, reason);
        return Seal(RecordKind.Error, new Payload(text[..length]));
    }

    /// <summary>A method of its own, because the lambda would take memory for each frame where it stands.</summary>
    private void OpenSession(byte[] opening, byte[] record, SealWorker worker, SealedText onText)
    {
        OpeningWork work = new(loop, opening, (fault, session) =>
        {
            if (session is null)
            {
                onText(fault, default);
            }
            else
            {
                OpenRecord(session, record, onText);
            }
        });
        if (!worker.TryOpen(work))
        {
            onText(SealFault.Full, default);
        }
    }

    /// <summary>Opens a record of an open session. False when the session is not there.</summary>
    private bool TryOpenRecord(ReadOnlySpan<byte> record, SealWorker worker, SealedText onText)
    {
        if (SealSession.TryReadId(new Payload(record), out UInt128 id) && worker.Gate.TryFind(id, loop.NowMs, out SealSession? session))
        {
            OpenRecord(session, record, onText);
            return true;
        }

        return false;
    }

    /// <summary>Perhaps the session's opening came right before and is at work: the record waits behind it, once.</summary>
    private void Await(byte[] record, SealWorker worker, SealedText onText)
    {
        void Look(SealFault fault, SealSession? session)
        {
            if (!TryOpenRecord(record, worker, onText))
            {
                onText(SealFault.UnknownSession, default);
            }
        }

        if (!worker.IsBusy || !worker.TryOpen(new OpeningWork(loop, [], Look)))
        {
            Look(SealFault.None, null);
        }
    }

    private void OpenRecord(SealSession session, ReadOnlySpan<byte> record, SealedText onText)
    {
        _call.Begin(session, isClient: false, _app, method, in _wishes);
        Span<byte> text = RecordScratch.In.Take(record.Length);
        SealFault fault = _call.Open(new Payload(record), text, out OpenedRecord opened);
        if (fault == SealFault.None && opened.Kind != RecordKind.Last)
        {
            fault = SealFault.CannotOpen; // a frame is a whole request
        }

        onText(fault, fault == SealFault.None ? text[..opened.Length] : default);
    }
}
