using System.Diagnostics;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Metrics;

namespace Cocaine.Fast.Node.Tests.Metrics;

/// <summary>The metrics of a real node, read over its control socket.</summary>
public class MetricsPageTests
{
    private const string App = "app=\"dotnet-echo\"";

    private static readonly string Alerts = Path.Combine(Repository.Root, "packaging/prometheus");

    [Fact]
    public async Task Every_accepted_job_is_accounted_for_in_each_reading_and_no_counter_falls()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        RunningApp app = await node.Node.AddAsync(TestApps.DotNet(BackendType.Thread));
        CheckedLoad load = new(app.Endpoints[0].Endpoint, connections: 4, callsAtOnce: 4);
        Readings before = new();
        for (int i = 0; i < 3; i++)
        {
            for (Stopwatch sampled = Stopwatch.StartNew(); sampled.Elapsed <= StatsSampler.MostAge;)
            {
                await load.ForAsync(200);
            }

            Readings now = await Readings.OfAsync(node.Client);
            Assert.Equal(now[$"cocaine_jobs_accepted_total{{{App}}}"], now.Sum("cocaine_jobs_done_total") + now.Sum("cocaine_jobs_failed_total")
                + now.Sum("cocaine_queue_jobs") + now.Sum("cocaine_jobs_running"));
            Assert.True(now[$"cocaine_jobs_done_total{{{App}}}"] > before.Sum("cocaine_jobs_done_total"));
            Assert.All(before.Counters, pair => Assert.InRange(now[pair.Key], pair.Value, double.MaxValue));
            before = now;
            Assert.True((await node.Client.RestartAsync("dotnet-echo").WaitAsync(Versions.Long)).Replaced);
        }

        Assert.Empty(await load.StopAsync());
    }

    [Fact]
    public async Task The_times_of_jobs_are_histograms_that_a_calculation_can_use()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        RunningApp app = await node.Node.AddAsync(TestApps.DotNet(BackendType.Thread));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        for (int i = 0; i < 20; i++)
        {
            await client.CallAsync("echo", Utf8.Of("x"));
        }

        const string Labels = $"{App},task=\"event\"";
        Readings page = await Readings.OfAsync(node.Client);
        double[] buckets = [.. page.Series("cocaine_job_service_seconds_bucket").Select(pair => pair.Value)];
        Assert.Equal(MetricsText.BoundsNs.Length + 1, buckets.Length);
        Assert.Equal(buckets.Order(), buckets);
        Assert.Equal(20, buckets[^1]);
        Assert.Equal(20, page[$"cocaine_job_service_seconds_count{{{Labels}}}"]);
        Assert.InRange(page[$"cocaine_job_service_seconds_sum{{{Labels}}}"], 1e-6, 20);
        Assert.Equal(1, page[$"cocaine_app_state{{{App},state=\"running\"}}"]);
        Assert.Equal(0, page[$"cocaine_app_state{{{App},state=\"broken\"}}"]);
        Assert.InRange(page["process_open_fds"], 10, page["process_max_fds"]);
        byte[] forOthers = MetricsPage.Text(await new StatsSampler(node.Node.Node).SampleAsync(), [new("thumbs", 1, "failed", 0, 0, 0, 0, 0, [])], _ => false);
        Assert.DoesNotContain("app=", System.Text.Encoding.UTF8.GetString(forOthers)); // a reader without rights to any app
    }

    [Fact]
    public void An_app_that_could_not_be_started_has_a_state_and_labels_are_escaped()
    {
        string text = System.Text.Encoding.UTF8.GetString(MetricsPage.Text(
            new NodeSample(TestNode.Start().Node, [], Silent: 1), [new("thumbs", 1, "failed", 0, 0, 0, 0, 0, [], "no")], _ => true));
        Assert.Contains("cocaine_app_state{app=\"thumbs\",state=\"failed\"} 1\n", text);
        Assert.Contains("cocaine_apps_silent 1\n", text);
        Assert.Equal("""task="a\\b\"c\nd" """.TrimEnd(), MetricsText.Label("task", "a\\b\"c\nd"));
    }

    [NeedsFact("promtool", "prometheus")]
    public async Task Prometheus_reads_the_page_and_its_rules_fire_when_they_should()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        RunningApp app = await node.Node.AddAsync(TestApps.Python("behaviours.py"));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("no-such-event", Utf8.Of("x")));
        Assert.Equal((0, ""), Promtool(await node.Client.MetricsAsync(), "check", "metrics"));
        Assert.Equal(0, Promtool("", "check", "rules", "alerts.yml").Code);
        Assert.Equal(0, Promtool("", "test", "rules", "alerts-test.yml").Code);
    }

    [Fact]
    public void The_documentation_lists_each_metric_and_the_alerts_use_no_other()
    {
        string[] names = [.. MetricsPage.Kinds.Select(kind => kind.IsStandard ? kind.Name : $"cocaine_{kind.Name}")];
        Assert.Equal(names.Distinct(), names);
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs/metrics.md"));
        Assert.All(
            MetricsPage.Kinds.Zip(names), pair => Assert.Contains($"| `{pair.Second}` | {pair.First.Type} | {pair.First.Help} |", page));
        string rules = File.ReadAllText(Path.Combine(Alerts, "alerts.yml"));
        Assert.All(
            System.Text.RegularExpressions.Regex.Matches(rules, "\\b(cocaine|process)_[a-z_]+").Select(match => match.Value),
            name => Assert.Contains(name, names));
        Assert.All(
            System.Text.RegularExpressions.Regex.Matches(rules, "alert: (\\w+)").Select(match => match.Groups[1].Value),
            name => Assert.Contains($"| {name} |", page));
    }

    private static (int Code, string Text) Promtool(string input, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("promtool", arguments)
        {
            WorkingDirectory = Alerts,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        string text = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, text);
    }
}
