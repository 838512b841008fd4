using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Quarantine;

/// <summary>A job in quarantine: it has killed every slave that ran it.</summary>
/// <param name="Id">The job's name in the quarantine of its app.</param>
/// <param name="App">The app.</param>
/// <param name="Event">The method that the job called.</param>
/// <param name="Time">The time at which the job was put there, in UTC.</param>
/// <param name="Cause">How the job's last slave died.</param>
/// <param name="RequestBytes">Length of the job's request.</param>
public sealed record QuarantineEntry(string Id, string App, string Event, DateTimeOffset Time, string Cause, long RequestBytes);

/// <summary>The quarantine as the control service sees it. Members may be called from any thread.</summary>
internal interface IQuarantineControl
{
    /// <summary>The jobs of an app, or of all apps when the name is null; oldest first.</summary>
    IReadOnlyList<QuarantineEntry> List(string? app);

    /// <summary>Everything that is kept of a job, as one JSON object; null when there is no such job.</summary>
    string? Show(string app, string id);

    /// <summary>
    /// Runs a job again. The job leaves the quarantine when it is done, and stays when it fails. False when there is no such job.
    /// </summary>
    /// <exception cref="NodeException">The job failed again, or the app does not run.</exception>
    Task<bool> ReplayAsync(string app, string id, CancellationToken cancellation);

    /// <summary>Forgets a job; false when there is no such job.</summary>
    bool Drop(string app, string id);
}
