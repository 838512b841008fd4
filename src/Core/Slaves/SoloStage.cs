namespace Cocaine.Fast.Core.Slaves;

/// <summary>Whether a slave is kept for one suspect: <c>none → clearing → running → none</c>. An empty one is not cleared.</summary>
internal enum SoloStage
{
    /// <summary>It takes whatever job is next.</summary>
    None,

    /// <summary>It gets no more jobs until it has none; then it gets a suspect.</summary>
    Clearing,

    /// <summary>It has a suspect, and gets no other job before that has left.</summary>
    Running,
}
