using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Quarantine;

/// <summary>A job in quarantine: it has killed every slave that ran it.</summary>
/// <param name="Id">Its name in the quarantine of its app.</param>
/// <param name="App">The app.</param>
/// <param name="Event">The method that it called.</param>
/// <param name="Time">When it was put there, in UTC.</param>
/// <param name="Cause">How its last slave died.</param>
/// <param name="RequestBytes">Length of its request.</param>
public sealed record QuarantineEntry(string Id, string App, string Event, DateTimeOffset Time, string Cause, long RequestBytes);

/// <summary>The quarantine as the control service sees it. Members may be called from any thread.</summary>
internal interface IQuarantineControl
{
    /// <summary>The jobs of an app, or of all when it is null; oldest first.</summary>
    IReadOnlyList<QuarantineEntry> List(string? app);

    /// <summary>All that is kept of a job, as one JSON object; null when there is no such job.</summary>
    string? Show(string app, string id);

    /// <summary>
    /// Runs a job again. It leaves the quarantine when it is done, and stays when it fails. False when there is no such job.
    /// </summary>
    /// <exception cref="NodeException">It failed again, or the app does not run.</exception>
    Task<bool> ReplayAsync(string app, string id, CancellationToken cancellation);

    /// <summary>Forgets a job; false when there is no such job.</summary>
    bool Drop(string app, string id);
}
