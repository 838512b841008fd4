using System.Diagnostics;
using System.Text.RegularExpressions;
using Cocaine.Fast.Node.Metrics;

namespace Cocaine.Fast.Web.Tests;

/// <summary>The dashboard for Grafana is that of its table, and asks for metrics that there are.</summary>
public class DashboardTests
{
    private static readonly string File = Path.Combine(Repository.Root, "packaging/grafana/cocaine-fast.json");

    [Fact]
    public void The_file_is_made_from_the_table()
    {
        if (Environment.GetEnvironmentVariable("COCAINE_UPDATE_DOCS") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(File)!);
            System.IO.File.WriteAllText(File, Dashboard.Text());
        }

        Assert.True(
            System.IO.File.Exists(File) && System.IO.File.ReadAllText(File) == Dashboard.Text(),
            "packaging/grafana/cocaine-fast.json is not up to date: run the tests once with COCAINE_UPDATE_DOCS=1");
    }

    [Fact]
    public void Its_expressions_name_metrics_that_there_are()
    {
        HashSet<string> names = [.. MetricsPage.Kinds.SelectMany(Series)];
        string[] used = [.. Dashboard.Expressions.SelectMany(text => Regex.Matches(text, @"\b(cocaine|process|dotnet)_\w+").Select(match => match.Value)).Distinct()];
        Assert.InRange(used.Length, 20, 100);
        Assert.Empty(used.Except(names));
    }

    [NeedsFact("promtool", "prometheus")]
    public void Its_expressions_are_those_of_Prometheus()
    {
        string folder = Directory.CreateTempSubdirectory("dashboard-").FullName;
        string rules = Path.Combine(folder, "rules.yml");
        System.IO.File.WriteAllText(rules, "groups:\n  - name: dashboard\n    rules:\n" + string.Concat(Dashboard.Expressions.Select((text, i) =>
            $"      - record: dashboard:{i}\n        expr: '{text.Replace("$__rate_interval", "5m").Replace("$instance", ".*").Replace("$app", ".*")}'\n")));
        using Process process = Process.Start(new ProcessStartInfo("promtool", ["check", "rules", rules]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string said = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, said);
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>The names of a family's series.</summary>
    internal static IEnumerable<string> Series(MetricKind kind)
    {
        string name = kind.IsStandard ? kind.Name : $"cocaine_{kind.Name}";
        return kind.Type == "histogram" ? [$"{name}_bucket", $"{name}_sum", $"{name}_count"] : [name];
    }
}
