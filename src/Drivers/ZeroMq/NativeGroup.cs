using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.MessagePack;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Drivers.ZeroMq.Wire;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// One request in the framing of 2012, four frames: 1 · [1, uuid, false] · [urgent, timeout, deadline] · body; all but the body are
/// MessagePack. Frames that are no such group are skipped up to the start of the next group, which its first two frames show.
/// </summary>
internal readonly ref struct NativeGroup
{
    /// <summary>Length of a uuid in its usual form.</summary>
    public const int UuidLength = 36;

    private const int Frames = 4;

    /// <summary>A wrong uuid is returned in the error when it is no longer than this.</summary>
    private const int MaxShownUuid = 255;

    /// <summary>The uuid as it came, also a wrong one; empty when there is none.</summary>
    public ReadOnlySpan<byte> Uuid { get; private init; }

    public JobPolicy Policy { get; private init; }

    public Payload Body { get; private init; }

    /// <summary>The mistake, when there is no job; null otherwise.</summary>
    public string? Problem { get; private init; }

    /// <summary>The problem is that the deadline has passed.</summary>
    public bool IsLate { get; private init; }

    /// <summary>Reads the group that begins at a frame, and moves to the start of the next group.</summary>
    public static NativeGroup Read(IEngineLoop loop, FrameList frames, ref int at)
    {
        int first = at;
        at = NextStart(frames, first);
        FrameList group = frames.Slice(first, at - first);
        ReadOnlySpan<byte> uuid = default;
        bool isHead = group.Count > 1 && TryReadHead(group[1], out uuid);
        if (group.Count != Frames)
        {
            const string Shape = "a group has four frames: 1, [1, uuid, false], [urgent, timeout, deadline], body";
            return new NativeGroup { Uuid = uuid, Problem = Shape };
        }

        if (!IsType(group[0]))
        {
            return new NativeGroup { Uuid = uuid, Problem = "the first frame of a group is the number 1" };
        }

        if (!isHead || uuid.Length != UuidLength)
        {
            string shape = $"the second frame is [1, uuid, false] with a uuid of {UuidLength} characters";
            return new NativeGroup { Uuid = uuid, Problem = shape };
        }

        if (!TryReadPolicy(group[2], out bool urgent, out double timeout, out double deadline))
        {
            return new NativeGroup { Uuid = uuid, Problem = "the third frame is [urgent, timeout, deadline]" };
        }

        string? problem = OldPolicy.Read(loop, urgent, timeout, deadline, out JobPolicy policy, out bool isLate);
        return new NativeGroup { Uuid = uuid, Policy = policy, Body = group.PayloadAt(3), Problem = problem, IsLate = isLate };
    }

    /// <summary>
    /// The start of the next group: at the next frames that look like a beginning, so that a group with a frame too few does not shift the
    /// others; without any, after four frames. A body that is the number 1 is no beginning, because no head follows it.
    /// </summary>
    private static int NextStart(FrameList frames, int first)
    {
        int end = Math.Min(first + Frames, frames.Count);
        for (int i = first + 1; i < end; i++)
        {
            if (i + 1 < frames.Count && IsType(frames[i]) && TryReadHead(frames[i + 1], out _))
            {
                return i;
            }
        }

        return end;
    }

    private static bool IsType(ReadOnlySpan<byte> frame) => MsgPackToken.TryRead(frame, out MsgPackToken token) == MsgPackStatus.Ok
        && token is { Kind: MsgPackKind.Unsigned, Bits: 1 } && token.HeadBytes == frame.Length;

    /// <summary>[1, uuid, false], the uuid in the str or the bin family and of any length.</summary>
    private static bool TryReadHead(ReadOnlySpan<byte> frame, out ReadOnlySpan<byte> uuid)
    {
        uuid = default;
        if (!TryTake(ref frame, out MsgPackToken array) || array is not { Kind: MsgPackKind.Array, Bits: 3 }
            || !TryTake(ref frame, out MsgPackToken type) || type is not { Kind: MsgPackKind.Unsigned, Bits: 1 }
            || !TryTake(ref frame, out MsgPackToken text) || !text.IsBytes || text.Bits > (ulong)frame.Length)
        {
            return false;
        }

        ReadOnlySpan<byte> read = frame[..(int)text.Bits];
        frame = frame[(int)text.Bits..];
        if (!TryTake(ref frame, out MsgPackToken last) || last.Kind != MsgPackKind.Boolean || !frame.IsEmpty)
        {
            return false;
        }

        uuid = read.Length <= MaxShownUuid ? read : default;
        return true;
    }

    private static bool TryReadPolicy(ReadOnlySpan<byte> frame, out bool urgent, out double timeout, out double deadline)
    {
        urgent = false;
        timeout = deadline = 0;
        if (!TryTake(ref frame, out MsgPackToken array) || array is not { Kind: MsgPackKind.Array, Bits: 3 }
            || !TryTake(ref frame, out MsgPackToken flag) || flag.Kind != MsgPackKind.Boolean
            || !TryTakeNumber(ref frame, out timeout) || !TryTakeNumber(ref frame, out deadline) || !frame.IsEmpty)
        {
            return false;
        }

        urgent = flag.Bits == 1;
        return true;
    }

    private static bool TryTakeNumber(ref ReadOnlySpan<byte> rest, out double number)
    {
        bool isNumber = TryTake(ref rest, out MsgPackToken token)
            && (token.IsInteger || token.Kind is MsgPackKind.Float32 or MsgPackKind.Float64);
        number = isNumber ? token.AsDouble : 0;
        return isNumber;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> rest, out MsgPackToken token)
    {
        if (MsgPackToken.TryRead(rest, out token) != MsgPackStatus.Ok)
        {
            return false;
        }

        rest = rest[token.HeadBytes..];
        return true;
    }
}
