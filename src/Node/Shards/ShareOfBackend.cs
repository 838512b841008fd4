using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Node.Shards;

/// <summary>
/// A backend whose cores are shared out between the shards of an app: the shards' pools together use as many cores as one pool would.
/// </summary>
/// <param name="backend">Makes the slaves.</param>
/// <param name="shard">The shard, from 0: the first one alone may have the app's slave from the node's reserve.</param>
/// <param name="shards">The shards of the app.</param>
internal sealed class ShareOfBackend(ISlaveBackend backend, int shard, int shards) : ISlaveBackend
{
    public int ThreadsLeft => backend.ThreadsLeft;

    public int CodeLeft => backend.CodeLeft;

    public int Cores => Math.Max(1, backend.Cores / shards);

    public int StartsAtOnce => Math.Max(1, backend.StartsAtOnce / shards);

    public SlaveLink Launch(Slave slave) => backend.Launch(slave);

    public SlaveRoom RoomFor(int wanted, bool isFirst) => backend.RoomFor(wanted, isFirst && shard == 0);
}
