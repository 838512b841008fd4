using System.Text.Json;

namespace Cocaine.Fast.Web.Tests;

/// <summary>The dashboard for Grafana, packaging/grafana/cocaine-fast.json, made from this table.</summary>
internal static class Dashboard
{
    private const string Node = "job=~\".*cocaine.*\",instance=~\"$instance\"", App = "instance=~\"$instance\",app=~\"$app\"";
    private const string Window = "[$__rate_interval]";

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private sealed record Panel(string Title, string Unit, params (string Expression, string Legend)[] Lines)
    {
        public string Kind { get; init; } = "timeseries";

        public bool IsStacked { get; init; }

        public int Width { get; init; } = 12;
    }

    /// <summary>A row of panels for each question: does the node work, do its apps, how long do jobs take, what do slaves and loops do.</summary>
    private static readonly (string Row, Panel[] Panels)[] Rows =
    [
        ("Overview",
        [
            new("Apps by state", "short", ($"sum by (state) (cocaine_app_state{{{App}}})", "{{state}}")) { Kind = "stat", Width = 12 },
            new("Jobs a second", "reqps", ($"sum(rate(cocaine_jobs_done_total{{{App}}}{Window}))", "done"),
                ($"sum(rate(cocaine_jobs_failed_total{{{App}}}{Window}))", "failed")) { Kind = "stat", Width = 8 },
            new("In quarantine", "short", ("sum(cocaine_quarantine_jobs{instance=~\"$instance\"})", "")) { Kind = "stat", Width = 4 },
        ]),
        ("Jobs",
        [
            new("Jobs that end, by app", "reqps", ($"sum by (app) (rate(cocaine_jobs_done_total{{{App}}}{Window}))", "{{app}}")),
            new("Errors by code", "reqps", ($"sum by (app, code) (rate(cocaine_jobs_failed_total{{{App}}}{Window}))", "{{app}} {{code}}")),
            new("Jobs that wait", "short", ($"sum by (app) (cocaine_queue_jobs{{{App}}})", "{{app}}"), ($"sum by (app) (cocaine_queue_limit_jobs{{{App}}}) > 0", "{{app}}, limit")),
            new("The oldest waiting job", "s", ($"max by (app) (cocaine_queue_oldest_age_seconds{{{App}}})", "{{app}}")),
            new("Refused jobs by reason", "reqps", ($"sum by (app, reason) (rate(cocaine_jobs_refused_total{{{App}}}{Window})) > 0", "{{app}} {{reason}}")),
            new("Part of the jobs that had to wait", "percentunit",
                ($"sum by (app) (rate(cocaine_jobs_waited_total{{{App}}}{Window})) / sum by (app) (rate(cocaine_jobs_accepted_total{{{App}}}{Window}))", "{{app}}")),
        ]),
        ("Times",
        [
            new("Time on a slave, p50 and p99", "s", ($"histogram_quantile(0.5, sum by (app, le) (rate(cocaine_job_service_seconds_bucket{{{App}}}{Window})))", "{{app}} p50"),
                ($"histogram_quantile(0.99, sum by (app, le) (rate(cocaine_job_service_seconds_bucket{{{App}}}{Window})))", "{{app}} p99")),
            new("Time in the queue, p99", "s", ($"histogram_quantile(0.99, sum by (app, le) (rate(cocaine_job_queue_seconds_bucket{{{App}}}{Window})))", "{{app}}")),
            new("Jobs by their time on a slave", "s", ($"sum by (le) (increase(cocaine_job_service_seconds_bucket{{{App}}}{Window}))", "{{le}}")) { Kind = "heatmap", Width = 24 },
        ]),
        ("Slaves",
        [
            new("Slaves by state", "short", ($"sum by (state) (cocaine_slaves{{{App}}})", "{{state}}"), ($"sum(cocaine_slaves_limit{{{App}}})", "limit")) { IsStacked = true },
            new("Decisions of pools", "cps", ($"sum by (action, reason) (rate(cocaine_pool_decisions_total{{{App}}}{Window})) > 0", "{{action}}: {{reason}}")),
            new("Ends of slaves by cause", "cps", ($"sum by (app, cause) (rate(cocaine_slaves_ended_total{{{App}}}{Window})) > 0", "{{app}} {{cause}}")),
            new("Start of a slave, p90", "s", ($"histogram_quantile(0.9, sum by (app, le) (rate(cocaine_slave_start_seconds_bucket{{{App}}}[1h])))", "{{app}}")),
            new("CPU of slaves", "percentunit", ($"sum by (app) (rate(cocaine_slaves_cpu_seconds_total{{{App}}}{Window}))", "{{app}}")),
            new("Memory of slaves", "bytes", ($"sum by (app) (cocaine_slaves_resident_memory_bytes{{{App}}})", "{{app}}")) { IsStacked = true },
        ]),
        ("The node",
        [
            new("CPU of event loops", "percentunit", ("rate(cocaine_loop_busy_seconds_total{instance=~\"$instance\"}[$__rate_interval])", "{{instance}} loop {{loop}}")),
            new("CPU and memory", "short", ($"rate(process_cpu_seconds_total{{{Node}}}{Window})", "{{instance}} cores"),
                ($"process_resident_memory_bytes{{{Node}}} / 1048576", "{{instance}} MiB")),
            new("Clients", "short", ($"sum by (app) (cocaine_connections{{{App}}})", "{{app}}")),
            new("File descriptors", "percentunit", ($"process_open_fds{{{Node}}} / process_max_fds{{{Node}}}", "{{instance}}")),
        ]),
    ];

    /// <summary>Every expression, for Prometheus.</summary>
    public static IEnumerable<string> Expressions => Rows.SelectMany(row => row.Panels).SelectMany(panel => panel.Lines).Select(line => line.Expression);

    /// <summary>The whole file.</summary>
    public static string Text()
    {
        List<object> panels = [];
        int id = 1, top = 0;
        foreach ((string row, Panel[] of) in Rows)
        {
            panels.Add(new { id = id++, type = "row", title = row, collapsed = false, gridPos = new { h = 1, w = 24, x = 0, y = top++ }, panels = Array.Empty<object>() });
            int left = 0;
            foreach (Panel panel in of)
            {
                int height = panel.Kind == "stat" ? 4 : 8;
                panels.Add(Written(panel, id++, new { h = height, w = panel.Width, x = left, y = top }));
                left += panel.Width;
                if (left >= 24)
                {
                    (left, top) = (0, top + height);
                }
            }

            top += left > 0 ? 8 : 0;
        }

        return JsonSerializer.Serialize(new
        {
            uid = "cocaine-fast",
            title = "cocaine-fast",
            tags = new[] { "cocaine-fast" },
            schemaVersion = 39,
            version = 1,
            refresh = "10s",
            time = new { from = "now-1h", to = "now" },
            templating = new
            {
                list = new[]
                {
                    Source(),
                    Variable("instance", "label_values(cocaine_build_info, instance)"),
                    Variable("app", "label_values(cocaine_app_state{instance=~\"$instance\"}, app)"),
                },
            },
            panels,
        }, Indented) + "\n";
    }

    private static Dictionary<string, object> Written(Panel panel, int id, object place) => new()
    {
        ["id"] = id,
        ["type"] = panel.Kind,
        ["title"] = panel.Title,
        ["gridPos"] = place,
        ["datasource"] = new { type = "prometheus", uid = "${source}" },
        ["fieldConfig"] = new
        {
            defaults = new
            {
                unit = panel.Unit,
                min = 0,
                custom = panel.Kind == "timeseries" ? new { fillOpacity = 10, stacking = new { mode = panel.IsStacked ? "normal" : "none" } } : null,
            },
            overrides = Array.Empty<object>(),
        },
        ["options"] = panel.Kind == "heatmap" ? new { calculate = false, yAxis = new { unit = "s" } } : new object(),
        ["targets"] = panel.Lines.Select((line, i) => new
        {
            refId = $"{(char)('A' + i)}",
            expr = line.Expression,
            legendFormat = line.Legend,
            format = panel.Kind == "heatmap" ? "heatmap" : "time_series",
        }).ToArray(),
    };

    private static object Source() => new { name = "source", label = "Prometheus", type = "datasource", query = "prometheus" };

    private static object Variable(string name, string query) => new
    {
        name,
        type = "query",
        query = new { query, refId = name },
        datasource = new { type = "prometheus", uid = "${source}" },
        refresh = 2,
        includeAll = true,
        multi = true,
        allValue = ".*",
        current = new { text = "All", value = "$__all" },
    };
}
