using System.Globalization;
using System.Text;
using Cocaine.Fast.Core.Terminal;

namespace Cocaine.Fast.Host.Views;

/// <summary>
/// The state of an app, as a page: its state and its problems first, then its queue, jobs and slaves, and the times of its tasks.
/// </summary>
/// <param name="info">The node's answer.</param>
/// <param name="jobsPerSecond">The rate at which jobs are done now, in jobs a second; null when it was not measured.</param>
/// <param name="screen">The screen of the page.</param>
internal sealed class InfoPage(JsonFacts info, double? jobsPerSecond, Screen screen)
{
    private const int LabelWidth = 10;

    private static readonly Columns<JsonFacts> Slaves = new(
        new("slave", slave => slave["id"].Text),
        new("state", slave => slave["state"].Text),
        new("pid", slave => slave["pid"].Text) { Drop = 3, IsRight = true },
        new("jobs", slave => Amount.Count(slave["load"].Count)) { IsRight = true },
        new("done", slave => Amount.Count(slave["jobs-done"].Count)) { Drop = 1, IsRight = true },
        new("age", slave => Milliseconds(slave["age-ms"])) { IsRight = true },
        new("silent", slave => Milliseconds(slave["silent-ms"])) { Drop = 2, IsRight = true },
        new("memory", slave => slave["rss-bytes"].Exists ? Amount.Size(slave["rss-bytes"].Count) : "") { Drop = 4, IsRight = true },
        new("pipe", slave => slave["pipe"].Text) { Drop = 5 },
        new("runs", Runs) { IsNote = true });

    private static readonly Columns<(string Task, JsonFacts Of)> Times = new(
        new("task", row => row.Task),
        new("jobs", row => Amount.Count(row.Of["time-on-slave-s", "count"].Count)) { IsRight = true },
        new("queue p50", row => Seconds(row.Of["time-in-queue-s"], "p50")) { Drop = 1, IsRight = true },
        new("p99", row => Seconds(row.Of["time-in-queue-s"], "p99")) { IsRight = true },
        new("max", row => Seconds(row.Of["time-in-queue-s"], "max")) { Drop = 2, IsRight = true },
        new("run p50", row => Seconds(row.Of["time-on-slave-s"], "p50")) { IsRight = true },
        new("p99", row => Seconds(row.Of["time-on-slave-s"], "p99")) { IsRight = true },
        new("p99.9", row => Seconds(row.Of["time-on-slave-s"], "p999")) { Drop = 3, IsRight = true },
        new("max", row => Seconds(row.Of["time-on-slave-s"], "max")) { IsRight = true });

    private readonly StringBuilder _text = new();

    /// <summary>The page as text.</summary>
    public string Render()
    {
        string name = info["app"].Text;
        Write($"{name}, version {info["version"].Text}: {info["state"].Text}", "", "");
        foreach ((string problem, string hint) in AppProblems.Of(info))
        {
            Write("  ! ", problem, "    ");
            if (hint.Length > 0)
            {
                Write("      ", hint, "      ");
            }
        }

        WriteEndpoints();
        WriteVersions();
        WriteQueueAndJobs();
        WritePool();
        List<(string Task, JsonFacts Of)> busy =
            [.. info["tasks"].Members.Where(task => task.Value["time-on-slave-s", "count"].Count > 0)];
        if (busy.Count > 0)
        {
            _text.Append('\n').Append(Times.Render(busy, screen.Columns));
        }

        return _text.ToString();
    }

    private void WriteEndpoints()
    {
        foreach ((string task, JsonFacts of) in info["tasks"].Members)
        {
            string endpoints = string.Join(" ", of["endpoints"].Items.Select(item => item.Text));
            Labelled("task", $"{task}, {of["type"].Text}{(endpoints.Length > 0 ? $": {endpoints}" : "")}");
        }

        if (info["pubsub"].Exists)
        {
            string endpoints = string.Join(" ", info["pubsub", "endpoints"].Items.Select(item => item.Text));
            Labelled("pubsub", $"{endpoints}: {Amount.Count(info["pubsub", "published"].Count)} published, "
                + $"{Amount.Count(info["pubsub", "dropped"].Count)} dropped");
        }
    }

    private void WriteVersions()
    {
        if (info["next"].Exists)
        {
            Labelled("next", $"version {info["next", "version"].Text} comes up for {Milliseconds(info["next", "age-ms"])}, "
                + $"{Amount.Of(info["next", "starting"].Count, "slave")} starting");
        }

        foreach (JsonFacts older in info["older"].Items)
        {
            Labelled("older", $"version {older["version"].Text} finishes {older["queued"].Text} queued and {older["running"].Text} running "
                + $"on {Amount.Of(older["slaves"].Count, "slave")}");
        }
    }

    private void WriteQueueAndJobs()
    {
        JsonFacts queue = info["queue"], jobs = info["jobs"];
        string oldest = queue["depth"].Count > 0 ? $"; the oldest waits {Milliseconds(queue["oldest-age-ms"])}" : "";
        string newest = queue["serves"].Text == "newest" ? "; after a stall, the newest go first" : "";
        Labelled("queue", $"{Amount.Count(queue["depth"].Count)} of {Amount.Of(queue["limit"].Count, "job")}, "
            + $"{Amount.Size(queue["bytes"].Count)} of {Amount.Size(queue["bytes-limit"].Count)}{oldest}{newest}");
        string rate = jobsPerSecond is { } known ? $"; {Amount.Count((long)Math.Round(known))}/s now" : "";
        Labelled("jobs", $"{Amount.Count(jobs["running"].Count)} running, {Amount.Count(jobs["done"].Count)} done, "
            + $"{Amount.Count(jobs["failed"].Count)} failed, {Amount.Count(jobs["rejected"].Count)} refused, of "
            + $"{Amount.Count(jobs["accepted"].Count)} accepted{rate}");
        Labelled("also", Counts(jobs, ("retried", "retried"), ("cancelled", "cancelled"), ("client-gone", "client gone"),
            ("abandoned", "abandoned"), ("quarantined", "in quarantine"), ("suspects", "waiting to run apart")));
        Labelled("nodes", Counts(jobs["forwarded"], ("out", "given to other nodes"), ("in", "taken from other nodes"),
            ("bounced", "found no room there"), ("lost", "lost with their node")));
        Labelled("errors", string.Join(", ", jobs["errors"].Members.Select(one => $"{one.Name}: {Amount.Count(one.Value.Count)}")));
        Labelled("timeouts", string.Join(", ", jobs["timeouts"].Members.Where(one => one.Value.Count > 0)
            .Select(one => $"{one.Name}: {Amount.Count(one.Value.Count)}")));
    }

    private void WritePool()
    {
        JsonFacts pool = info["pool"];
        Labelled("slaves", $"{pool["total"].Text} of {pool["limit"].Text}: {pool["busy"].Text} busy, {pool["idle"].Text} idle, "
            + $"{pool["starting"].Text} starting{(pool["minimum"].Count > 0 ? $"; {pool["minimum"].Text} kept warm" : "")}");
        Labelled("recycled", string.Join(", ", pool["recycled"].Members.Where(one => one.Value.Count > 0)
            .Select(one => $"{one.Name}: {Amount.Count(one.Value.Count)}")));
        List<JsonFacts> slaves = [.. pool["slaves"].Items];
        if (slaves.Count > 0)
        {
            _text.Append('\n').Append(Slaves.Render(slaves, screen.Columns));
        }
    }

    private static string Counts(JsonFacts of, params (string Name, string Words)[] counts) => string.Join(
        ", ", counts.Where(one => of[one.Name].Count > 0).Select(one => $"{Amount.Count(of[one.Name].Count)} {one.Words}"));

    /// <summary>The running jobs of a slave: "resize (job 53788) since 0.30 s, …".</summary>
    private static string Runs(JsonFacts slave) => string.Join(", ", slave["jobs"].Items.Select(job =>
        $"{job["event"].Text} (job {job["id"].Text}{(job["answered"].Exists ? ", answered" : "")}){Since(job)}"));

    private static string Since(JsonFacts job) => job["age-ms"].Exists ? $" for {Milliseconds(job["age-ms"])}"
        : DateTimeOffset.TryParse(job["since"].Text, CultureInfo.InvariantCulture, out DateTimeOffset since)
            ? $" for {When.Span(Math.Max(0, (DateTimeOffset.UtcNow - since).TotalMilliseconds * 1e6))}" : "";

    private static string Milliseconds(JsonFacts time) => When.Span(time.Number * 1e6);

    private static string Seconds(JsonFacts times, string name) => times["count"].Count > 0 ? When.Span(times[name].Number * 1e9) : "";

    private void Labelled(string label, string text)
    {
        if (text.Length > 0)
        {
            Write(label.PadRight(LabelWidth), text, new string(' ', LabelWidth));
        }
    }

    private void Write(string first, string text, string indent) => _text.Append(Letters.Wrapped(
        PlainText.OneLine(first), PlainText.OneLine(text), screen.Columns, indent)).Append('\n');
}
