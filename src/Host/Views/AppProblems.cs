namespace Cocaine.Fast.Host.Views;

/// <summary>The problems of an app, found in its info: a sentence for each, and the command that shows or does more.</summary>
internal static class AppProblems
{
    /// <summary>A wait longer than this is reported: callers begin to give up.</summary>
    private const double LongWaitMs = 1000;

    public static IEnumerable<(string Problem, string Command)> Of(JsonFacts info)
    {
        string app = info["app"].Text;
        if (info["state"].Text == "broken")
        {
            yield return ($"its slaves do not start: {LastLine(info["cause"].Text)}", $"cocaine-fast app logs {app}");
        }

        if (info["paused"].IsTrue)
        {
            yield return ("it is paused: new jobs get 503", $"cocaine-fast app resume {app}");
        }

        JsonFacts queue = info["queue"], pool = info["pool"];
        bool isFull = pool["total"].Count >= pool["limit"].Count && pool["idle"].Count == 0 && pool["starting"].Count == 0;
        if (queue["depth"].Count > 0 && queue["depth"].Count >= queue["limit"].Count)
        {
            yield return ("the queue is full: new jobs get 503", "");
        }

        if (queue["oldest-age-ms"].Number >= LongWaitMs && isFull)
        {
            yield return (
                $"jobs wait, and all {pool["limit"].Text} slaves that it may have are busy (engine.pool-limit)",
                $"cocaine-fast app scale {app} --limit {pool["limit"].Count * 2}");
        }

        if (info["jobs", "quarantined"].Count > 0)
        {
            yield return (
                $"{Amount.Of(info["jobs", "quarantined"].Count, "job")} killed each slave that ran it",
                $"cocaine-fast quarantine list {app}");
        }

        if (info["jobs", "failed"].Count > 0)
        {
            yield return (
                $"{Amount.Of(info["jobs", "failed"].Count, "job")} failed", $"cocaine-fast why --last-failed 10 --app {app}");
        }
    }

    /// <summary>The last line that a worker wrote before it ended is usually the most useful one.</summary>
    private static string LastLine(string cause) => cause.TrimEnd().Split('\n')[^1];
}
