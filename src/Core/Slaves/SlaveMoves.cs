namespace Cocaine.Fast.Core.Slaves;

/// <summary>The legal transitions of a slave's two state machines.</summary>
internal static class SlaveMoves
{
    public static bool CanBecome(this SlaveState state, SlaveState next) => (state, next) switch
    {
        (SlaveState.Starting, SlaveState.Idle or SlaveState.Draining) => true,
        (SlaveState.Idle, SlaveState.Busy or SlaveState.Draining) => true,
        (SlaveState.Busy, SlaveState.Idle or SlaveState.Draining) => true,
        (not SlaveState.Dead, SlaveState.Dead) => true,
        _ => false,
    };

    public static bool CanBecome(this SoloStage stage, SoloStage next) => (stage, next) switch
    {
        (SoloStage.None, not SoloStage.None) => true,
        (SoloStage.Clearing, SoloStage.Running or SoloStage.None) => true,
        (SoloStage.Running, SoloStage.None) => true,
        _ => false,
    };
}
