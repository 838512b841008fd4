namespace Cocaine.Fast.Node.Apps;

/// <summary>Where an app is: <c>starting → serving ⇄ replacing</c>, and <c>stopping → stopped</c> from each.</summary>
internal enum AppPhase
{
    /// <summary>Its drivers are being opened.</summary>
    Starting,

    /// <summary>One version takes jobs; older ones may still finish theirs.</summary>
    Serving,

    /// <summary>As Serving, and the next version's slaves come up.</summary>
    Replacing,

    /// <summary>Takes no more jobs; all versions finish what they have.</summary>
    Stopping,

    /// <summary>Has no jobs, slaves or endpoints.</summary>
    Stopped,
}
