namespace Cocaine.Fast.Node.Apps;

/// <summary>The outcome of a replacement of an app by another version of it.</summary>
/// <param name="App">The app.</param>
/// <param name="FromVersion">The version that ran.</param>
/// <param name="ToVersion">The version that was to replace it.</param>
/// <param name="Replaced">
/// True: new jobs go to the new version. False: it did not come up; the old one goes on, and nobody noticed.
/// </param>
/// <param name="Reason">Why it did not come up; null when it did.</param>
/// <param name="Drained">
/// Completes when the old version has finished its last job and its slaves have ended. It does so at its own pace: a job is never ended
/// for a reload. Completed already when nothing was replaced.
/// </param>
public sealed record ReplaceOutcome(string App, int FromVersion, int ToVersion, bool Replaced, string? Reason, Task Drained)
{
    /// <summary>A note for the caller, in words; null when there is none.</summary>
    public string? Note { get; init; }
}
