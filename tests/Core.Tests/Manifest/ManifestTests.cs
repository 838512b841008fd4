using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;

namespace Cocaine.Fast.Core.Tests.Manifest;

public class ManifestTests
{
    private static readonly string Documented = Samples.Text("good/readme.json");

    [Fact]
    public void The_manifest_of_2012_reads_as_it_stands()
    {
        ManifestResult result = Read(Documented);
        Assert.Empty(result.Problems);
        AppManifest app = result.Manifest!;
        Assert.Equal(("my-app", AppType.Python, "/path/to/application/__init__.py", 1), (app.Name, app.Type, app.Code.Source, app.Version));
        Assert.Equal((20, 5, 60_000L, 10_000L, 1), (app.Engine.PoolLimit, app.Engine.QueueLimit, app.Engine.HeartbeatTimeoutMs,
            app.Engine.StartupTimeoutMs, app.Engine.Concurrency));
        Assert.Equal(["aggregate", "event", "spool"], app.Tasks.Select(task => task.Name));
        Assert.Equal(["tcp://lo:9100"], app.Tasks[1].Endpoints);
        Assert.Equal("tcp://lo:9200", app.PubsubEndpoint);
    }

    [Theory]
    [InlineData("", "1:1: $: not JSON: there is nothing in the file")]
    [InlineData("[]", "1:1: $: a manifest is an object, found an empty list")]
    [InlineData("{\n  \"type\": }", "2:11: $: not JSON")]
    [InlineData("{} {}", "1:4: $: not JSON")]
    [InlineData("{}", "1:1: $: the key 'type' is missing")]
    public void A_file_that_is_no_manifest_says_where(string text, string expected) =>
        Assert.StartsWith("my-app.json:" + expected, Read(text).Problems[0].ToString(), StringComparison.Ordinal);

    [Fact]
    public void Threads_are_for_dotnet_and_cpp() => Assert.Contains(
        Read(Documented.Replace("\"process\"", "\"thread\"")).Problems, problem =>
            problem.Message.StartsWith("only dotnet and cpp apps run in threads", StringComparison.Ordinal));

    [Theory]
    [InlineData("0.25", 250)]
    [InlineData("\"250ms\"", 250)]
    [InlineData("\"1.5s\"", 1500)]
    [InlineData("\"1m\"", 60_000)]
    [InlineData("\"2h\"", 7_200_000)]
    public void Durations_are_seconds_or_have_a_unit(string written, long expected) => Assert.Equal(
        expected, Read(Documented.Replace("\"heartbeat-timeout\": 60", "\"queue-timeout\": " + written)).Manifest!.Engine.QueueTimeoutMs);

    [Fact]
    public void Comments_trailing_commas_and_a_byte_order_mark_are_allowed() =>
        Assert.NotNull(Read("\ufeff// comment\n" + Documented.Replace("\"version\": 1,",
            "\"version\": 1, /* one */").TrimEnd()[..^1] + ",}").Manifest);

    [Fact]
    public void Paths_are_relative_to_the_manifest() => Assert.Equal(
        "/etc/apps/code/app.py", ManifestReader.Read(Encoding.UTF8.GetBytes(Documented.Replace("local:///path/to/application/__init__.py",
            "code/app.py")), "/etc/apps/a.json").Manifest!.Code.Source);

    [Fact]
    public void Code_that_is_not_there_is_a_mistake_when_files_are_checked() =>
        Assert.Contains("there is no file",
            ManifestReader.Read(Encoding.UTF8.GetBytes(Documented), "a.json", checkFiles: true).Problems[0].Message);

    private static ManifestResult Read(string text) => ManifestReader.Read(Encoding.UTF8.GetBytes(text), "my-app.json");
}
