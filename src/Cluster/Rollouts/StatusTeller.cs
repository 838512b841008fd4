using Cocaine.Fast.Cluster.Engine;

namespace Cocaine.Fast.Cluster.Rollouts;

/// <summary>Tells the words of this node about its apps in one session: changes at once, and numbers of jobs from time to time.</summary>
/// <param name="session">The session.</param>
/// <param name="node">The uuid of this node.</param>
/// <param name="clock">The clock of this node.</param>
internal sealed class StatusTeller(NatsSession session, string node, TimeProvider clock)
{
    /// <summary>How often the numbers of jobs are told while a version is rolled out: a judgement is at most so late.</summary>
    private static readonly TimeSpan JobsPeriod = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, Told> _told = []; // by app

    /// <summary>Tells what is new. A write that fails is made again with the next words.</summary>
    /// <param name="words">The app, the word, and whether a version of the app is being rolled out.</param>
    /// <exception cref="EngineException">The engine does not answer.</exception>
    public async Task TellAsync(IEnumerable<(string App, AppStatus Status, bool IsRolling)> words)
    {
        foreach ((string app, AppStatus status, bool isRolling) in words)
        {
            Told? told = _told.GetValueOrDefault(app);
            bool isDue = told is null || !status.IsSameButForJobs(told.Status)
                || (isRolling && status != told.Status && clock.GetElapsedTime(told.At) >= JobsPeriod);
            if (isDue)
            {
                await TellAsync(app, status, told).ConfigureAwait(false);
            }
        }
    }

    private async Task TellAsync(string app, AppStatus status, Told? told)
    {
        string key = StatusText.KeyOf(node, app);
        ulong revision = told?.Revision ?? (await session.ReadAsync(StatusBoard.Bucket, key).ConfigureAwait(false)).Revision;
        (WriteOutcome outcome, ulong next) =
            await session.WriteAsync(StatusBoard.Bucket, key, StatusText.Write(status), revision).ConfigureAwait(false);
        if (outcome == WriteOutcome.Written)
        {
            _told[app] = new Told(status, next, clock.GetTimestamp());
        }
        else
        {
            _told.Remove(app); // the write may be there: the key is read again
        }
    }

    private sealed record Told(AppStatus Status, ulong Revision, long At);
}
