namespace Cocaine.Fast.Core.Slaves;

/// <summary>
/// Says whether a slave is kept for a group of suspects: <c>none → clearing → running → none</c>. A slave that is empty anyway skips
/// clearing.
/// </summary>
internal enum SoloStage
{
    /// <summary>The slave takes any job that is next.</summary>
    None,

    /// <summary>The slave gets no more jobs until it is empty, or has only jobs that do not end; then it gets suspects.</summary>
    Clearing,

    /// <summary>The slave has suspects, and gets no other job before they have left or have run for long.</summary>
    Running,
}
