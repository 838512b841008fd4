using System.Globalization;
using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;

namespace Cocaine.Fast.Core.Tests.Manifest;

public class BrokenManifestTests
{
    /// <summary>What is expected of X.json stands in X.expected, one line a problem.</summary>
    [Theory]
    [InlineData("broken")]
    [InlineData("broken-relations")]
    [InlineData("broken-times")]
    [InlineData("broken-values")]
    public void Every_mistake_is_reported_at_its_place(string name)
    {
        Assert.Null(Samples.Read(name + ".json").Manifest);
        Assert.Equal(Samples.Text(name + ".expected").Split('\n', StringSplitOptions.RemoveEmptyEntries), Samples.Problems(name + ".json"));
    }

    [Fact]
    public void Every_broken_sample_is_under_test() => Assert.Equal(
        ["broken", "broken-relations", "broken-times", "broken-values"],
        Directory.GetFiles(Samples.Folder, "broken*.json").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal));

    [Fact]
    public void A_warning_does_not_keep_an_app_from_running()
    {
        ManifestResult result = Samples.Read("warning.json");
        Assert.Equal(10_000, result.Manifest!.Engine.HeartbeatTimeoutMs);
        ManifestProblem warning = Assert.Single(result.Problems);
        Assert.True(warning.IsWarning);
        Assert.EndsWith(
            ":1:72: $.engine.heartbeat-timeout: warning: workers of Cocaine's public frameworks beat every 20 s: "
            + "below 25 s they are killed while they work", warning.ToString());
    }

    [Theory]
    [InlineData("30 4 1,15 * 5", true)]
    [InlineData("30 4 1,15 * *", false)]
    [InlineData("H H * * 5", false)]
    public void A_schedule_whose_dates_must_match_two_days_is_warned_of(string schedule, bool isWarned)
    {
        byte[] text = Encoding.UTF8.GetBytes(
            """{"type":"python","args":"a.py","tasks":{"nightly":{"type":"cron","schedule":"X"}}}""".Replace("X", schedule, StringComparison.Ordinal));
        string[] problems = [.. Problems(text).Where(problem => problem.Contains("schedule", StringComparison.Ordinal))];
        Assert.Equal(isWarned ? 1 : 0, problems.Length);
        Assert.All(problems, problem => Assert.Contains(
            "$.tasks.nightly.schedule: warning: both the day of the month and the day of the week are given", problem));
    }

    [Fact]
    public void What_is_no_text_says_where()
    {
        Assert.Equal(["a.json:2:9: $: not UTF-8"], Problems([.. "{\n \"type\":"u8, 0xff, .. "}"u8]));
        Assert.Equal(
            ["a.json:1:9: $: not JSON: a \\u escape of the string is half of a surrogate pair"], Problems("""{"args":"\ud800"}"""u8));
        Assert.StartsWith(
            "a.json:1:33: $: not JSON: The maximum configured depth of 32", Problems([.. Enumerable.Repeat((byte)'[', 100_000)])[0]);
    }

    [Fact]
    public void A_path_with_NUL_is_a_mistake() => Assert.Contains(
        Problems("""{"type":"python","args":  "a\u0000b"}"""u8),
        problem => problem.StartsWith("a.json:1:27: $.args: expected local:///absolute/path", StringComparison.Ordinal));

    [Fact]
    public void What_is_too_large_is_refused()
    {
        Assert.Equal(["a.json: too large for a manifest: more than 1048576 bytes"], Problems(new byte[(1 << 20) + 1]));
        Assert.EndsWith(
            "too large for a manifest: more than 1048576 bytes", ManifestReader.ReadFile("/dev/zero").Problems.Single().ToString());
        Assert.EndsWith("a folder is no manifest", ManifestReader.ReadFile(Samples.Folder).Problems.Single().ToString());
    }

    /// <summary>Places are found in one walk: a file full of mistakes on one line must not take time by their square.</summary>
    [Fact]
    public void A_file_full_of_mistakes_is_read_in_time()
    {
        TimeSpan few = LeastTimeOf(15_000);
        TimeSpan many = LeastTimeOf(60_000);
        Assert.True(many < few * 10, $"{few.TotalMilliseconds} ms, four times the mistakes {many.TotalMilliseconds} ms"); // its square is 16
    }

    /// <summary>The least of three, in CPU time of this thread: other tests run meanwhile.</summary>
    private static TimeSpan LeastTimeOf(int mistakes)
    {
        string keys = string.Join(",", Enumerable.Range(0, mistakes).Select(i => $"\"k{i}\":1"));
        byte[] text = Encoding.UTF8.GetBytes($"{{{keys}}}");
        return Enumerable.Range(0, 3).Min(_ =>
        {
            long start = CpuTimeNs();
            Assert.Equal(mistakes + 3, Problems(text).Length);
            return TimeSpan.FromMicroseconds((CpuTimeNs() - start) / 1000);
        });
    }

    private static long CpuTimeNs() =>
        long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[0], CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("MyApp.json", null)]
    [InlineData("My App.json", "1:1: $.name: the file's name 'my app' is no app name ([a-z0-9._-], at most 64): give one with 'name'")]
    public void The_name_is_the_files(string file, string? problem)
    {
        ManifestResult result = ManifestReader.Read(Encoding.UTF8.GetBytes(Samples.Text("good/readme.json")), file);
        Assert.Equal(problem is null ? [] : [$"{file}:{problem}"], result.Problems.Select(one => one.ToString()));
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a\\n")]
    [InlineData("A")]
    public void A_name_is_the_name_of_a_file(string name) => Assert.Contains(
        Problems(Encoding.UTF8.GetBytes($"{{\"name\":\"{name}\"}}")),
        problem => problem.StartsWith("a.json:1:9: $.name: expected a name", StringComparison.Ordinal));

    private static string[] Problems(ReadOnlySpan<byte> utf8) =>
        [.. ManifestReader.Read(utf8, "a.json").Problems.Select(problem => problem.ToString())];
}
