namespace Cocaine.Fast.Node.Apps;

/// <summary>The phase of an app: <c>starting → serving ⇄ replacing</c>, and <c>stopping → stopped</c> from each.</summary>
internal enum AppPhase
{
    /// <summary>The app's drivers are being opened.</summary>
    Starting,

    /// <summary>One version takes jobs; older versions may still finish theirs.</summary>
    Serving,

    /// <summary>One version takes jobs, and the next version's slaves come up.</summary>
    Replacing,

    /// <summary>The app takes no more jobs; all versions finish their jobs.</summary>
    Stopping,

    /// <summary>The app has no jobs, slaves or endpoints.</summary>
    Stopped,
}

/// <summary>The legal transitions of an app.</summary>
internal static class AppPhases
{
    public static bool CanBecome(this AppPhase phase, AppPhase next) => (phase, next) switch
    {
        (AppPhase.Starting, AppPhase.Serving or AppPhase.Stopped) => true,
        (AppPhase.Serving, AppPhase.Replacing or AppPhase.Stopping) => true,
        (AppPhase.Replacing, AppPhase.Serving) => true,
        (AppPhase.Stopping, AppPhase.Stopped) => true,
        _ => false,
    };
}
