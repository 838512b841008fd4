namespace Cocaine.Fast.Core.Rings;

/// <summary>
/// Wakes the other side of a ring. The contract: ring only after the other side said that it waits (its flag was 1 and is now 0), so there
/// is at most one ring for each wait. Ringing never blocks, and never fails for a peer that is gone.
/// </summary>
internal abstract class Doorbell
{
    public abstract void Ring();
}
