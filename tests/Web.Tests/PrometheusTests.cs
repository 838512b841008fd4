using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cocaine.Fast.Node.Metrics;

namespace Cocaine.Fast.Web.Tests;

/// <summary>A real Prometheus reads a node with twenty apps while these are restarted, replaced and recycled.</summary>
[Collection(nameof(Alone))]
public sealed class PrometheusTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [NeedsFact("prometheus", "prometheus")]
    public async Task Each_metric_is_there_no_counter_falls_and_no_job_is_unaccounted_for_in_any_scrape()
    {
        string[] apps = [Python("one"), .. Enumerable.Range(1, 19).Select(DotNet)];
        using ServeProcess serve = await ServeProcess.StartAsync(
            _folder, $"\"web\": {{ \"endpoint\": \"tcp://127.0.0.1:0\" }}, \"apps\": [{string.Join(", ", apps.Select(app => $"\"{app}\""))}]");
        Assert.Contains("20 apps run, 0 failed", serve.Log);
        using Process prometheus = Start(Regex.Match(serve.Log, @"readers on this host at tcp://(127\.0\.0\.1:\d+)").Groups[1].Value, out Uri address);
        try
        {
            using HttpClient client = new() { BaseAddress = address };
            await UntilAsync(client, "sum(up) == 1");
            CheckedLoad python = new($"ipc://{_folder["python.sock"]}", connections: 3, callsAtOnce: 2);
            CheckedLoad dotnet = new($"ipc://{_folder["dotnet-7.sock"]}", connections: 2, callsAtOnce: 8);
            await python.ForAsync(200);
            (int code, _, string error) = await serve.RunAsync("call", $"ipc://{_folder["python.sock"]}", "boom", "--data", "x");
            Assert.True(code == 1, $"{code}: {error}");
            Assert.Equal(0, (await serve.RunAsync("app", "restart", "python")).Code);
            await python.ForAsync(200);
            Python("two");
            serve.Signal("HUP");
            await serve.UntilLineAsync("1 changed", "apps of the config");
            await python.ForAsync(200);
            await UntilAsync(client, "sum(cocaine_slaves_recycled_total) > 0 and sum(cocaine_slaves_ended_total{cause=\"stopped\"}) > 0");
            await UntilAsync(client, "min(count_over_time(up[1h])) >= 12");
            Assert.Empty(await python.StopAsync());
            Assert.Empty(await dotnet.StopAsync());

            HashSet<string> seen = [.. (await AskAsync(client, "/api/v1/label/__name__/values")).EnumerateArray().Select(name => name.GetString()!)];
            MetricKind[] kinds = [.. MetricsPage.Kinds.Where(kind => !kind.Name.StartsWith("lease_", StringComparison.Ordinal))]; // this node is in no cluster
            Assert.Empty(kinds.SelectMany(DashboardTests.Series).Except(seen));
            foreach (string name in kinds.Where(kind => kind.Type != "gauge").SelectMany(DashboardTests.Series))
            {
                Assert.Empty((await QueryAsync(client, $"resets({name}[1h]) > 0")).EnumerateArray().Select(series => $"{name} fell: {series}"));
            }

            string now = (DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0).ToString(CultureInfo.InvariantCulture);
            string then = (DateTimeOffset.UtcNow.AddMinutes(-5).ToUnixTimeMilliseconds() / 1000.0).ToString(CultureInfo.InvariantCulture);
            string law = Uri.EscapeDataString("cocaine_jobs_accepted_total - cocaine_jobs_done_total - cocaine_queue_jobs - cocaine_jobs_running - on (app) "
                + "(sum by (app) (cocaine_jobs_failed_total) or on (app) cocaine_jobs_accepted_total * 0)");
            JsonElement.ArrayEnumerator sums = (await AskAsync(client, $"/api/v1/query_range?query={law}&start={then}&end={now}&step=0.25"))
                .GetProperty("result").EnumerateArray();
            Assert.Equal(20, sums.Count());
            Assert.All(sums.SelectMany(app => app.GetProperty("values").EnumerateArray()), value => Assert.Equal("0", value[1].GetString()));
        }
        finally
        {
            prometheus.Kill();
            await prometheus.WaitForExitAsync();
        }

        serve.Signal("TERM");
        Assert.Equal(0, await serve.ExitAsync());
    }

    private Process Start(string target, out Uri address)
    {
        int port;
        using (TcpListener free = new(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        string config = _folder.Write("prometheus.yml", $$"""
            global: { scrape_interval: 500ms, scrape_timeout: 500ms }
            rule_files: ["{{Path.Combine(Repository.Root, "packaging/prometheus/alerts.yml")}}"]
            scrape_configs: [{ job_name: cocaine-fast, static_configs: [{ targets: ["{{target}}"] }] }]
            """);
        address = new Uri($"http://127.0.0.1:{port}");
        Process process = Process.Start(new ProcessStartInfo("prometheus", [
            $"--config.file={config}", $"--storage.tsdb.path={_folder["tsdb"]}", $"--web.listen-address=127.0.0.1:{port}", "--log.level=error"])
        { RedirectStandardError = true })!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        return process;
    }

    private string Python(string version)
    {
        _folder.Write("python.py", $"# {version}\ndef echo(request):\n    yield request\n\n\ndef tick():\n    pass\n\n\ndef boom(request):\n    raise ValueError('boom')\n");
        return _folder.Write("python.json", $$"""
            { "name": "python", "type": "python", "args": { "source": "{{_folder["python.py"]}}", "env": { "VERSION": "{{version}}" } },
              "engine": { "queue-limit": 1000, "pool-limit": 2, "max-jobs": 150 },
              "pubsub": { "endpoint": "tcp://127.0.0.1:0" },
              "tasks": { "event": { "type": "native-server", "endpoint": "ipc://{{_folder["python.sock"]}}", "events": "*" },
                         "tick": { "type": "recurring-timer", "interval": 200 } } }
            """);
    }

    private string DotNet(int number) => _folder.Write($"dotnet-{number}.json", $$"""
        { "name": "dotnet-{{number}}", "type": "dotnet", "args": { "source": "{{Path.Combine(Repository.Root, "examples/dotnet-echo/bin/Release/net10.0/DotNetEcho.dll")}}" },
          "engine": { "queue-limit": 1000, "backend": "thread", "pool-limit": 1 },
          "tasks": { "event": { "type": "native-server", "endpoint": "ipc://{{_folder[$"dotnet-{number}.sock"]}}", "events": "*" } } }
        """);

    private static async Task UntilAsync(HttpClient client, string condition)
    {
        for (Stopwatch passed = Stopwatch.StartNew(); passed.Elapsed < Versions.Long; await Task.Delay(200))
        {
            try
            {
                if ((await QueryAsync(client, condition)).GetArrayLength() > 0)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Prometheus is not up yet
            }
        }

        Assert.Fail($"never so: {condition}");
    }

    private static async Task<JsonElement> QueryAsync(HttpClient client, string query) =>
        (await AskAsync(client, $"/api/v1/query?query={Uri.EscapeDataString(query)}")).GetProperty("result");

    private static async Task<JsonElement> AskAsync(HttpClient client, string path)
    {
        string answer = await client.GetStringAsync(path);
        return JsonSerializer.Deserialize<JsonElement>(answer).GetProperty("data");
    }
}
