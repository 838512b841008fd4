using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Sharing;

/// <summary>The home does not want the answer of a job any more. The error says why, for the worker.</summary>
internal sealed class CancelMail(AwayJob away, in JobError error) : ShardMail
{
    private readonly int _category = error.Category, _code = error.Code;
    private readonly byte[] _reason = MessageWriter.Cut(error.Reason).ToArray();

    public override void Run() => away.CancelGuest(new JobError(_category, _code, _reason));
}

/// <summary>The caller of a job is slower than its slave, or has room again.</summary>
internal sealed class HoldMail(AwayJob away, bool holds) : ShardMail
{
    public override void Run() => away.HoldGuest(holds);
}

/// <summary>Chunks of an answer that is not at its end. The sibling fills the object again when the home has taken them.</summary>
internal sealed class PartMail(AwayJob away) : ShardMail
{
    private ChunkLog _chunks = new(); // of the home while the object is out, of the sibling otherwise
    private bool _isOut;              // set by the sibling, cleared at home

    /// <summary>The object is on its way, or the home has not taken its chunks yet. Asked at the sibling.</summary>
    public bool IsOut => Volatile.Read(ref _isOut); // the other half is in Run: what it did to the chunks is seen too

    /// <summary>Takes the written chunks for the way, and gives an empty log for the next ones.</summary>
    public ChunkLog Exchange(ChunkLog written)
    {
        ChunkLog empty = _chunks;
        _chunks = written;
        _isOut = true; // seen at home with the message itself
        return empty;
    }

    public override void Run()
    {
        try
        {
            away.Deliver(_chunks.Written);
        }
        finally
        {
            _chunks.Clear();
            Volatile.Write(ref _isOut, false); // the other half is in IsOut
        }
    }
}

/// <summary>How the starts of the app's slaves go, as another shard has seen it.</summary>
internal sealed class StartsMail(Siblings sibling, int failures, bool hadJobs, string cause) : ShardMail
{
    public override void Run() => sibling.OnStarts(failures, hadJobs, cause);
}

/// <summary>Jobs wait on a shard that may launch no more slaves: a sibling with places is asked for slaves.</summary>
internal sealed class GrowMail(Siblings sibling, int slaves) : ShardMail
{
    public override void Run() => sibling.GrowForOthers(slaves);
}
