using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>The room that a message of a stranger has.</summary>
internal enum MessageRoom
{
    /// <summary>The message belongs to an accepted call: it has as much room as a payload.</summary>
    Payload,

    /// <summary>The message opens a channel: its name, its tag and its length are bounded.</summary>
    Opening,

    /// <summary>The message opens no channel, and no call was accepted: its length is bounded.</summary>
    Short,
}

/// <summary>
/// A connection of a stranger: its peer may send anything, at any speed, and nothing that nobody has accepted takes much memory. A name or
/// a tag that is too long is refused when its length is known. The message is then read to its end, so that the other channels go on, and
/// the connection ends only when the message is too long as a whole.
/// </summary>
internal abstract class DoorConnection : MessageConnection
{
    private readonly IdleWatch _idle;
    private ulong _begunChannel;  // the channel of the unfinished message, 0 while it is not known; valid while bytes wait
    private Refusal? _turnedAway; // set when no call is answered

    protected DoorConnection(EventLoop loop, int descriptor, ProtocolLimits limits)
        : base(loop, descriptor, limits) => _idle = new IdleWatch(this);

    internal sealed override bool IsOfStranger => true;

    /// <summary>The most bytes of a message without payload.</summary>
    protected virtual int MaxShortBytes => OpeningBounds.MaxMessageBytes;

    /// <summary>Closes the connection after so much silence without work, ms; 0 = never.</summary>
    protected void CloseWhenIdle(long timeoutMs) => _idle.Start(timeoutMs);

    /// <summary>
    /// The answer to the first call is a refusal, on the channel of the call, and the connection closes; also after so much silence, ms. An
    /// answer before the call would come on a channel that the client does not know yet.
    /// </summary>
    public void TurnAway(int code, string problem, long silenceMs)
    {
        _turnedAway = new Refusal(code, problem);
        Open();
        CloseWhenIdle(silenceMs);
    }

    /// <summary>True when the peer's call was answered with the refusal, and the connection is closed.</summary>
    protected bool IsTurnedAway(ulong channel)
    {
        if (_turnedAway is null)
        {
            return false;
        }

        MessageWriter.WriteError(Output, channel, ErrorCodes.Category, _turnedAway.Code, _turnedAway.Problem);
        FlushAndClose(_turnedAway.Problem);
        return true;
    }

    /// <summary>The last work of the connection has ended.</summary>
    protected void OnQuiet() => _idle.OnQuiet();

    /// <summary>The room that a message on this channel has; asked only for messages that are not whole yet.</summary>
    protected abstract MessageRoom RoomOf(ulong channel);

    /// <summary>
    /// A message that opens a channel is over the bounds, and is perhaps not whole yet. The answer is 413; further messages of the channel
    /// are late.
    /// </summary>
    protected abstract void OnOpeningRefused(ulong channel, string problem);

    /// <summary>The loop does not keep the unfinished message any longer. The connection closes after this.</summary>
    protected virtual void OnUnfinished(ulong? channel, PartialFault fault) =>
        OnMalformed(channel, PartialProblem.CodeOf(fault), PartialProblem.Of(fault));

    /// <summary>
    /// Refuses a message of Cocaine 0.11, and closes: each of its clients begins so, and would wait for ever. False for a message of
    /// another kind on the channel 0, which no call has.
    /// </summary>
    protected bool IsRefusedAsOld(in MessageLayout layout)
    {
        if (!OldDialect.Is(in layout))
        {
            return false;
        }

        OldDialect.WriteRefusal(Output, layout.Type);
        FlushAndClose(OldDialect.Problem);
        return true;
    }

    /// <summary>
    /// True when the message, which opens a channel, is over the bounds: then it was refused, and the connection is perhaps closed.
    /// </summary>
    protected bool IsRefused(in MessageLayout opening)
    {
        if (OpeningBounds.Fits(in opening, MaxShortBytes))
        {
            return false;
        }

        string problem = OpeningBounds.Problem(in opening, MaxShortBytes);
        OnOpeningRefused(opening.Channel, problem);
        if (opening.TotalBytes > MaxShortBytes)
        {
            FlushAndClose(problem);
        }

        return true;
    }

    /// <summary>
    /// Judges the beginning of a message. A message that was refused by its beginning is late when it is whole, and is judged by its length
    /// until then.
    /// </summary>
    protected sealed override void OnBegun(in MessageLayout begun)
    {
        _begunChannel = begun.Channel;
        MessageRoom room = BegunIsRefused ? MessageRoom.Short : RoomOf(begun.Channel);
        if (room == MessageRoom.Opening)
        {
            BegunIsRefused = IsRefused(in begun);
        }
        else if (room == MessageRoom.Short && begun.TotalBytes > MaxShortBytes)
        {
            string problem = OpeningBounds.TooLong(MaxShortBytes);
            OnMalformed(null, ErrorCodes.TooLarge, problem); // the channel has its answer, or is not known
            FlushAndClose(problem);
        }
    }

    internal sealed override void OnPartialRefused(PartialFault fault)
    {
        OnUnfinished(_begunChannel == 0 || BegunIsRefused ? null : _begunChannel, fault);
        FlushAndClose(PartialProblem.Of(fault));
    }

    protected override void OnClosed(string reason) => _idle.Stop();

    private sealed record Refusal(int Code, string Problem);
}
