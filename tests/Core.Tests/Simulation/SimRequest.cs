using System.Buffers.Binary;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Tests.Simulation;

/// <summary>Where a request is, as the model knows it from outside of the engine.</summary>
internal enum Phase
{
    /// <summary>Given to the engine, which has not said yet whether it takes it.</summary>
    Offered,

    /// <summary>Accepted; no slave has it.</summary>
    Waiting,

    /// <summary>Accepted; it stands in a slave's ring, ahead of its turn.</summary>
    Placed,

    /// <summary>A slave was told to run it.</summary>
    OnSlave,

    /// <summary>Its caller has its one outcome.</summary>
    Answered,

    /// <summary>Its caller gave it up, and must hear nothing more.</summary>
    Cancelled,

    /// <summary>Never accepted.</summary>
    Refused,
}

/// <summary>What the model keeps of one request.</summary>
internal sealed class SimRequest(int id, SimCaller caller, ulong channel, JobPolicy policy, long nowMs)
{
    public int Id { get; } = id;

    public SimCaller Caller { get; } = caller;

    public ulong Channel { get; } = channel;

    public JobPolicy Policy { get; } = policy;

    public long ArrivedMs { get; } = nowMs;

    public Phase Phase { get; set; } = Phase.Offered;

    /// <summary>The engine's object for it; valid in Waiting, Placed and OnSlave.</summary>
    public Job? Job { get; set; }

    /// <summary>The slave that has it; valid in Placed and OnSlave.</summary>
    public SimLink? Link { get; set; }

    /// <summary>When it began to wait last. Valid in Waiting and Placed.</summary>
    public long WaitsSinceMs { get; set; } = nowMs;

    /// <summary>When the present run began, by the time for which the node has listened. Valid in OnSlave.</summary>
    public long DispatchedMs { get; set; }

    /// <summary>When it was placed. Valid in Placed.</summary>
    public long PlacedMs { get; set; }

    /// <summary>When it began to stand in the queue. Valid in Waiting.</summary>
    public long QueuedMs { get; set; }

    /// <summary>It was given to a slave, and came back: it goes to the queue whether that is full or not.</summary>
    public bool CameBack { get; set; }

    /// <summary>Slaves that died before they began it, when it was their next.</summary>
    public int Reprieves { get; set; }

    /// <summary>When it had its outcome, by the same time. Valid in Answered and Cancelled.</summary>
    public long EndedMs { get; set; }

    /// <summary>Its slave was silent for the time that the caller has set: that slave must end it soon or die. Valid in Answered.</summary>
    public bool EndedBySilence { get; set; }

    public int Runs { get; set; }

    /// <summary>Whichever slave runs it dies of it, at some time.</summary>
    public bool IsPoison { get; init; }

    /// <summary>Slaves that died while they had it alone.</summary>
    public int Charges { get; set; }

    /// <summary>Slaves that died while they were kept for another one, and had this as well.</summary>
    public int Spared { get; set; }

    /// <summary>Slaves that died while they had it and others, and nobody knows of which.</summary>
    public int InCompany { get; set; }

    /// <summary>A slave died of it or beside it, and it could have neighbours: it runs with these only. 0 for none.</summary>
    public int Group { get; set; }

    public bool IsSuspect => Group != 0;

    /// <summary>It ran for its job-timeout: its slave must end it soon, or die, or be replaced. Valid in Answered.</summary>
    public bool RanTooLong { get; set; }

    /// <summary>Pieces of the answer that its caller has.</summary>
    public int AnswerChunks { get; set; }

    /// <summary>Pieces of the request that its caller has sent.</summary>
    public int SentChunks { get; set; }

    /// <summary>Bytes of the chunks that were sent: but for a few large ones, no request grows over what is kept for another run.</summary>
    public int SentBytes { get; set; }

    /// <summary>The caller has closed its side.</summary>
    public bool Ended { get; set; }

    /// <summary>The caller was asked to wait with its request.</summary>
    public bool Pressed { get; set; }

    /// <summary>Too much of the request was sent for it to be kept: it is run once.</summary>
    public bool TooLargeToKeep { get; set; }

    public bool IsQuarantined { get; set; }

    public bool IsOpen => Phase is Phase.Offered or Phase.Waiting or Phase.Placed or Phase.OnSlave;

    public long DeadlineMs => Policy.DeadlineMs > 0 ? ArrivedMs + Policy.DeadlineMs : long.MaxValue;

    public override string ToString() => $"request {Id} ({Phase}, runs {Runs})";
}

/// <summary>What every chunk carries, so that whoever gets it knows whose it is: request, run (0 in requests), place.</summary>
internal readonly record struct Label(int Request, int Run, int Place)
{
    public const int SizeBytes = 12;

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt32LittleEndian(to, Request);
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], Run);
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], Place);
    }

    public static Label Read(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadInt32LittleEndian(from), BinaryPrimitives.ReadInt32LittleEndian(from[4..]),
        BinaryPrimitives.ReadInt32LittleEndian(from[8..]));

    public static Label Read(in Payload data) => Read(data.IsContiguous ? data.Span : System.Buffers.BuffersExtensions.ToArray(data.Sequence));
}

/// <summary>A promise was broken.</summary>
internal sealed class BrokenPromise(string what) : Exception(what);
