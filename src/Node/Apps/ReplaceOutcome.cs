namespace Cocaine.Fast.Node.Apps;

/// <summary>The outcome of a replacement of an app by another version of it.</summary>
/// <param name="App">The app.</param>
/// <param name="FromVersion">The version that ran.</param>
/// <param name="ToVersion">The version that should replace it.</param>
/// <param name="Replaced">
/// True: new jobs go to the new version. False: the new version did not come up, the old one continues, and no client noticed.
/// </param>
/// <param name="Reason">Why the new version did not come up; null when it did.</param>
/// <param name="Drained">
/// Completes when the old version has finished its last job and its slaves have ended. The old version takes the time that it needs: no job
/// is ended for a reload. Completed already when no version was replaced.
/// </param>
public sealed record ReplaceOutcome(string App, int FromVersion, int ToVersion, bool Replaced, string? Reason, Task Drained)
{
    /// <summary>A note for the caller, in words; null when there is none.</summary>
    public string? Note { get; init; }

    /// <summary>The version comes to the nodes of a cluster, one after the other, and was not judged yet.</summary>
    public bool IsRollout { get; init; }
}
