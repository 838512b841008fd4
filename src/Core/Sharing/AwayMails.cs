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

/// <summary>Chunks of an answer that is not at its end.</summary>
internal sealed class PartMail(AwayJob away, byte[] chunks) : ShardMail
{
    public override void Run() => away.Deliver(chunks);
}

/// <summary>Jobs wait on a shard that may launch no more slaves: a sibling with places is asked for slaves.</summary>
internal sealed class GrowMail(Siblings sibling, int slaves) : ShardMail
{
    public override void Run() => sibling.GrowForOthers(slaves);
}
