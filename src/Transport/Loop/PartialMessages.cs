using System.Numerics;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// Counts the bytes of unfinished messages that the strangers of a loop have sent, and bounds them: in all, and each by its progress. A
/// whole message never comes here, so only a peer that leaves a message unfinished in a receive costs anything.
/// </summary>
/// <remarks>
/// The inputs are in lists by their size, four for each power of two. Each list is in the order of the last progress: the first input has
/// waited for the longest time. So every step looks at the first input of each list at most, however many peers there are. An input whose
/// connection does not read has no list: its bytes count, and its silence is the node's. Only the loop's thread uses it.
/// </remarks>
internal sealed class PartialMessages : WheelTimer
{
    /// <summary>
    /// The most bytes of unfinished messages on one loop: three of the largest messages at a time, and less than what harms a machine.
    /// </summary>
    public const long UsualMaxBytes = 192L << 20;

    /// <summary>Longer than any hiccup of a network, and as long as most clients wait for an answer.</summary>
    public const int UsualStallMs = 30_000;

    /// <summary>Over the bound, a message without a new byte for this long is given up before those that make progress.</summary>
    private const int GraceMs = 1000;

    /// <summary>Lists: four for each power of two up to 2^31.</summary>
    private const int Lists = 32 * 4;

    private readonly PartialInput?[] _first = new PartialInput?[Lists];
    private readonly PartialInput?[] _last = new PartialInput?[Lists];
    private readonly DeadlineWheel _patience;
    private readonly Func<long> _listenedMs;

    /// <param name="patience">The wheel of the loop's listened time.</param>
    /// <param name="listenedMs">Gives the loop's listened time, ms.</param>
    public PartialMessages(DeadlineWheel patience, Func<long> listenedMs)
    {
        _patience = patience;
        _listenedMs = listenedMs;
    }

    /// <summary>Bytes of all inputs.</summary>
    public long TotalBytes { get; private set; }

    /// <summary>The most bytes of all inputs.</summary>
    public long MaxBytes { get; init; } = UsualMaxBytes;

    /// <summary>The longest time without a new byte, ms.</summary>
    public int StallMs { get; set; } = UsualStallMs;

    /// <summary>
    /// The input has so many bytes now, and the newest has just come. This may refuse any input, also this one.
    /// </summary>
    /// <param name="input">The input.</param>
    /// <param name="bytes">Its bytes as the connection counts them; 0 when nothing is left.</param>
    /// <param name="isRead">The connection reads. Otherwise its peer cannot make progress, and is not judged.</param>
    public void Hold(PartialInput input, long bytes, bool isRead)
    {
        Unlink(input);
        long charge = ChargeOf(bytes);
        TotalBytes += charge - input.HeldBytes;
        input.HeldBytes = charge;
        if (charge == 0)
        {
            return;
        }

        if (isRead)
        {
            input.ProgressMs = _listenedMs();
            Link(input);
            if (!IsArmed)
            {
                _patience.Arm(this, input.ProgressMs + StallMs);
            }
        }

        while (TotalBytes > MaxBytes && Largest() is { } largest)
        {
            Refuse(largest, PartialFault.TooManyBytes);
        }
    }

    /// <summary>The connection does not read for now: the silence of its peer says nothing.</summary>
    public void Excuse(PartialInput input) => Unlink(input);

    /// <summary>The bytes are gone.</summary>
    public void Release(PartialInput input)
    {
        Unlink(input);
        TotalBytes -= input.HeldBytes;
        input.HeldBytes = 0;
    }

    /// <summary>Refuses the inputs without progress, and looks again when the next one can be due.</summary>
    public override void OnDue(long nowMs)
    {
        long oldestMs = long.MaxValue;
        for (int list = 0; list < Lists; list++)
        {
            while (_first[list] is { } first && first.ProgressMs + StallMs <= nowMs)
            {
                Refuse(first, PartialFault.Stalled);
            }

            oldestMs = Math.Min(oldestMs, _first[list]?.ProgressMs ?? long.MaxValue);
        }

        if (oldestMs != long.MaxValue)
        {
            _patience.Arm(this, oldestMs + StallMs);
        }
    }

    /// <summary>
    /// The memory that so many bytes take: a small block, or large ones. Many small messages would otherwise take much more than is
    /// counted.
    /// </summary>
    public static long ChargeOf(long bytes) => bytes switch
    {
        0 => 0,
        <= BufferPool.BlockSizeBytes => BufferPool.BlockSizeBytes,
        _ => (bytes + BufferPool.LargeBlockSizeBytes - 1) & -BufferPool.LargeBlockSizeBytes,
    };

    /// <summary>
    /// The input to give up: of those without progress for the grace time the largest; when all make progress, the largest of all. The
    /// bound must also hold against peers that send a byte now and then.
    /// </summary>
    private PartialInput? Largest()
    {
        PartialInput? largest = null;
        long silentSinceMs = _listenedMs() - GraceMs;
        for (int list = Lists - 1; list >= 0; list--)
        {
            if (_first[list] is { } first)
            {
                if (first.ProgressMs <= silentSinceMs)
                {
                    return first;
                }

                largest ??= first;
            }
        }

        return largest;
    }

    private void Refuse(PartialInput input, PartialFault fault)
    {
        Release(input);
        input.OnRefused(fault);
    }

    private void Link(PartialInput input)
    {
        int power = BitOperations.Log2((ulong)input.HeldBytes);
        int list = Math.Min((power * 4) + (int)((input.HeldBytes >> (power - 2)) & 3), Lists - 1);
        input.List = list;
        input.Next = null;
        input.Previous = _last[list];
        if (input.Previous is { } previous)
        {
            previous.Next = input;
        }
        else
        {
            _first[list] = input;
        }

        _last[list] = input;
    }

    private void Unlink(PartialInput input)
    {
        if (input.List < 0)
        {
            return;
        }

        if (input.Previous is { } previous)
        {
            previous.Next = input.Next;
        }
        else
        {
            _first[input.List] = input.Next;
        }

        if (input.Next is { } next)
        {
            next.Previous = input.Previous;
        }
        else
        {
            _last[input.List] = input.Previous;
        }

        input.Next = input.Previous = null;
        input.List = -1;
    }
}
