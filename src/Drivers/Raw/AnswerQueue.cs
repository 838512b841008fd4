using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Drivers.Raw;

/// <summary>The state of the answer to one frame.</summary>
internal enum AnswerState
{
    /// <summary>Its job runs or waits.</summary>
    Open,

    /// <summary>The whole answer is here.</summary>
    Whole,

    /// <summary>Its job failed; the bytes are the error's text.</summary>
    Failed,
}

/// <summary>The answer to one frame, until its turn to be written comes. Pooled by the server.</summary>
internal sealed class Answer
{
    private byte[]? _block;
    private IJobRunner? _held;   // has the job; its answer waits until there is room; valid in Open
    private ulong _heldChannel;  // the job's channel there; valid with _held

    public AnswerState State { get; set; }

    /// <summary>Valid in Open.</summary>
    public Job? Job { get; set; }

    /// <summary>The connection has written bytes of the answer: an error can no longer take their place. Valid in every state.</summary>
    public bool HasBegun { get; set; }

    /// <summary>The slave takes the request more slowly than it came. Valid in Open.</summary>
    public bool IsPressed { get; set; }

    /// <summary>Bytes that are kept and not written yet.</summary>
    public int Length { get; private set; }

    public ReadOnlySpan<byte> Bytes => _block.AsSpan(0, Length);

    public void Append(BlockPool blocks, scoped in Payload data)
    {
        int needed = checked(Length + data.Length);
        if (_block is null || needed > _block.Length)
        {
            // Doubled, so that an answer of many chunks is not copied with each of them.
            byte[] larger = blocks.Rent(Math.Max(needed, Length * 2));
            Bytes.CopyTo(larger);
            if (_block is not null)
            {
                blocks.Return(_block);
            }

            _block = larger;
        }

        data.CopyTo(_block.AsSpan(Length));
        Length = needed;
    }

    public void Clear(BlockPool blocks)
    {
        if (_block is not null)
        {
            blocks.Return(_block);
            _block = null;
        }

        Length = 0;
    }

    /// <summary>Holds the rest of the answer back, if it can be held. Valid in Open.</summary>
    public void Hold(Job job)
    {
        if (_held is null && job.Runner is { } slave && slave.HoldBack(job.SlaveChannel))
        {
            (_held, _heldChannel) = (slave, job.SlaveChannel);
        }
    }

    /// <summary>Lets an answer that waits for room go on.</summary>
    public void LetGo()
    {
        IJobRunner? held = _held;
        _held = null;
        held?.LetGo(_heldChannel);
    }
}

/// <summary>The answers that a connection owes, in the order of their requests: a ring that grows up to its bound.</summary>
internal sealed class AnswerQueue(RawServer server)
{
    /// <summary>
    /// The most requests of one connection in flight: enough to keep a pool of slaves busy for the time of one round trip.
    /// </summary>
    public const int MaxCount = 64;

    private const int FirstCount = 4;

    private Answer[] _ring = new Answer[FirstCount];
    private ulong _first;      // number of the oldest answer
    private ulong _next;       // number of the next answer

    /// <summary>Has the buffers and free answers.</summary>
    public RawServer Server { get; set; } = server;

    public int Count => (int)(_next - _first);

    /// <summary>The oldest answer: the one that may be written now.</summary>
    public Answer First => _ring[_first & Mask];

    /// <summary>The number of the newest answer.</summary>
    public ulong Last => _next - 1;

    private ulong Mask => (ulong)_ring.Length - 1;

    public Answer this[ulong number] => _ring[number & Mask];

    public bool IsFirst(Answer answer) => Count > 0 && First == answer;

    public Answer Add()
    {
        if (Count == _ring.Length)
        {
            Grow();
        }

        Answer answer = Server.FreeAnswers.Count > 0 ? Server.FreeAnswers.Pop() : new Answer();
        _ring[_next++ & Mask] = answer;
        return answer;
    }

    /// <summary>Gives the oldest answer back to the pool.</summary>
    public void RemoveFirst()
    {
        Answer answer = First;
        answer.LetGo();
        answer.Clear(Server.Blocks);
        answer.State = AnswerState.Open;
        answer.Job = null;
        answer.HasBegun = answer.IsPressed = false;
        Server.FreeAnswers.Push(answer);
        _first++;
    }

    private void Grow()
    {
        Answer[] larger = new Answer[_ring.Length * 2];
        for (ulong number = _first; number < _next; number++)
        {
            larger[number & ((ulong)larger.Length - 1)] = this[number];
        }

        _ring = larger;
    }
}
