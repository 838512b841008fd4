using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Engine;

/// <summary>Finds a place for a new job: a slave with room, another node, or the queue.</summary>
internal sealed class Arrivals(EngineScope scope, SlavePool pool, Admission admission, ForwardedJobs forwarded)
{
    /// <summary>Finds a place; the code of the refusal is 0 when there is one.</summary>
    /// <param name="id">The job's number.</param>
    /// <param name="task">The job's task.</param>
    /// <param name="policy">The caller's wishes.</param>
    /// <param name="slave">The slave that takes the job; null when none does.</param>
    /// <param name="peer">The node that takes the job; null when none does. Without both the job waits.</param>
    public JobRefusal Find(ulong id, TaskMonitor task, in JobPolicy policy, out Slave? slave, out IPeer? peer)
    {
        peer = null;
        slave = scope.IsTaking && scope.Queue.Usual == 0 ? pool.Pick() : null;
        return slave is null ? FindElsewhere(id, task, in policy, out slave, out peer) : default;
    }

    private JobRefusal FindElsewhere(ulong id, TaskMonitor task, in JobPolicy policy, out Slave? slave, out IPeer? peer)
    {
        slave = null;
        peer = null;
        if (!scope.IsTaking)
        {
            return admission.WhyNot(id);
        }

        slave = admission.MustRefuse ? MakeRoom() : null;
        if (slave is not null)
        {
            return default;
        }

        bool isRefused = admission.MustRefuse;
        bool takesIt = !isRefused && scope.Siblings?.HaveRoom == true; // another loop of this node, and soon
        peer = scope.Forwarder is not null && task.MayForward && !takesIt ? forwarded.Choose(in policy, isRefused) : null;
        return isRefused && peer is null ? admission.Check(id) : default;
    }

    /// <summary>Jobs that are placed, or that wait, may leave room for another one: a slave for it, or a place in the queue.</summary>
    private Slave? MakeRoom()
    {
        Slave? slave = null;
        if (pool.HeldUp.Release() || pool.Roster.Idle > 0)
        {
            pool.Ahead.Wake(isFull: true);
            slave = scope.Queue.Usual == 0 ? pool.Roster.Pick() : null;
        }

        if (slave is null && admission.MustRefuse)
        {
            scope.Siblings?.MakeRoom();
        }

        return slave;
    }
}
