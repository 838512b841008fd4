using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>Tells what a slave can be given at present.</summary>
internal static class SlaveFitness
{
    extension(Slave slave)
    {
        /// <summary>The slave can take one more job.</summary>
        public bool HasRoom => slave.State is SlaveState.Idle or SlaveState.Busy && slave.IsOpen && slave.Load < slave.Capacity
            && !slave.Ahead.IsHeldUp;

        /// <summary>The slave runs as many jobs as it may, and can take one more ahead of its turn.</summary>
        public bool CanTakeAhead => slave.State == SlaveState.Busy && slave.IsOpen && !slave.IsRetired && slave.Load >= slave.Capacity
            && slave.Channels.Abandoned < slave.Capacity && slave.Ahead.HasRoom;

        /// <summary>The slave runs job after job: it can take all that a core can do.</summary>
        public bool IsServing(long nowNs) => slave.State is SlaveState.Idle or SlaveState.Busy && slave.IsOpen && !slave.IsRetired
            && slave.Channels.Abandoned < slave.Capacity && slave.Link.TellsBegun
            && (slave.State == SlaveState.Idle || nowNs - slave.Ahead.LastNs <= EngineLimits.CoreKeptNs);

        /// <summary>The slave can take one more of the suspects that it is kept for.</summary>
        public bool HasRoomApart => !slave.IsEnding && slave.IsHeard && slave.Load < slave.Capacity;

        /// <summary>The slave may be given suspects: it is empty, or it was cleared for long and has only jobs that do not end.</summary>
        public bool CanRunAlone => !slave.IsRetired && slave.IsHeard && (slave.State == SlaveState.Idle
            || (slave is { State: SlaveState.Busy, Solo: { Stage: SoloStage.Clearing, IsOver: true } } && slave.Load < slave.Capacity));

        /// <summary>The slave gets fit for a suspect when it gets no more jobs: jobs that do not end leave it at least one place.</summary>
        public bool CanBeCleared => slave.State == SlaveState.Busy && !slave.IsRetired && slave.IsHeard
            && slave.Channels.Abandoned < slave.Capacity;

        /// <summary>The slave works on, but abandoned jobs have all of its places: it cannot run any more jobs.</summary>
        public bool IsUseless => !slave.IsRetired && !slave.IsEnding && slave.Channels.Abandoned >= slave.Capacity;

        /// <summary>The slave is kept for no suspect, and is heard.</summary>
        private bool IsOpen => slave.Solo.Stage == SoloStage.None && slave.IsHeard;

        /// <summary>The slave is not being killed, and the node reads its answers.</summary>
        private bool IsHeard => !slave.IsCondemned && !slave.IsHeldBack;
    }
}
