using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Manifest;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Manifest;

public class ManifestTests
{
    private const string Documented = """
        { "type": "python", "args": "local:///path/to/application/__init__.py", "version": 1,
          "engine": { "backend": "process", "heartbeat-timeout": 60, "pool-limit": 20, "queue-limit": 5 },
          "pubsub": { "endpoint": "tcp://lo:9200" },
          "tasks": { "aggregate": { "interval": 60000, "type": "recurring-timer" },
                     "event":     { "endpoint": "tcp://lo:9100", "type": "native-server" },
                     "spool":     { "path": "/var/spool/my-app-data", "type": "filesystem-monitor" } } }
        """;

    [Fact]
    public void The_manifest_of_2012_reads_as_it_stands()
    {
        ManifestResult result = Read(Documented);
        Assert.Empty(result.Problems);
        AppManifest app = result.Manifest!;
        Assert.Equal(("my-app", AppType.Python, "/path/to/application/__init__.py", 1), (app.Name, app.Type, app.Code.Source, app.Version));
        Assert.Equal((20, 5, 60_000L, 10_000L, 1), (app.Engine.PoolLimit, app.Engine.QueueLimit, app.Engine.HeartbeatTimeoutMs, app.Engine.StartupTimeoutMs, app.Engine.Concurrency));
        Assert.Equal(["aggregate", "event", "spool"], app.Tasks.Select(task => task.Name));
        Assert.Equal(["tcp://lo:9100"], app.Tasks[1].Endpoints);
        Assert.Equal("tcp://lo:9200", app.PubsubEndpoint);
    }

    [Fact]
    public void Every_mistake_of_a_broken_manifest_is_reported_at_its_place()
    {
        string path = Path.Combine(RepositoryRoot.Path, "tests", "manifests", "broken.json");
        ManifestResult result = ManifestReader.ReadFile(path);
        Assert.Null(result.Manifest);
        string[] expected =
        [
            "3:11: $.name: expected a name of a-z, 0-9, '.', '_' and '-', at most 64 characters, found the string \"My App\"",
            "4:11: $.type: expected one of python, cpp, dotnet, perl, javascript, binary, found the string \"pyhton\"; did you mean 'python'?",
            "5:11: $.args: expected local:///absolute/path, or a path relative to the manifest, found the string \"local://relative.py\"",
            "6:14: $.version: expected a whole number, 0 or more, found the number -1",
            "7:3: $.verison: unknown key 'verison'; did you mean 'version'?",
            "9:16: $.engine.backend: expected one of process, thread, found 'tread'; did you mean 'thread'?",
            "10:19: $.engine.pool-limit: expected a whole number from 1 to 1024, found 0",
            "11:21: $.engine.pool-minimum: 20 is more than the pool-limit of 10",
            "12:26: $.engine.heartbeat-timeout: expected seconds as a number, or a string with a unit (\"250ms\", \"10s\", \"1m\", \"2h\"), found the string \"soon\"",
            "13:18: $.engine.pipe-size: a ring's size is a power of two: 1048576 is the nearest",
            "14:5: $.engine.queue-limits: unknown key 'queue-limits'; did you mean 'queue-limit'?",
            "15:5: $.engine.pool-limit: the key stands here twice",
            "17:27: $.pubsub.endpoint: 'udp://lo:1' is not an endpoint: expected tcp://HOST:PORT or ipc:///path",
            "19:26: $.tasks.serve.type: there is no driver the string \"native-sever\"; did you mean 'native-server'?",
            "20:15: $.tasks.listen: the key 'endpoint' is missing: an endpoint (tcp://HOST:PORT or ipc:///path) or a list of them",
            "21:61: $.tasks.zmq.endpoint: 'ipc:///tmp/x': zeromq-server takes tcp:// only, because NetMQ's ipc:// is a loopback port that every local user can connect to",
            "22:57: $.tasks.tick.interval: expected milliseconds as a whole number, 1 or more, found 0",
            "23:46: $.tasks.nightly.schedule: expected a cron expression of 5 or 6 fields, or @hourly, @daily, @weekly, @monthly, @yearly, found 'every day'",
            "24:56: $.tasks.spool.path: expected an absolute path, found 'spool'",
        ];
        Assert.Equal(expected, result.Problems.Select(problem => problem.ToString()[(path.Length + 1)..]));
    }

    [Theory]
    [InlineData("", "1:1: $: not JSON")]
    [InlineData("[]", "1:1: $: a manifest is an object, found a list")]
    [InlineData("{\n  \"type\": }", "2:11: $: not JSON")]
    [InlineData("{} {}", "1:4: $: not JSON")]
    [InlineData("{}", "1:1: $: the key 'type' is missing")]
    public void A_file_that_is_no_manifest_says_where(string text, string expected) =>
        Assert.StartsWith("my-app.json:" + expected, Read(text).Problems[0].ToString(), StringComparison.Ordinal);

    [Fact]
    public void Threads_are_for_dotnet_and_cpp() => Assert.Contains(
        Read(Documented.Replace("\"process\"", "\"thread\"")).Problems, problem => problem.Message.StartsWith("only dotnet and cpp apps run in threads", StringComparison.Ordinal));

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
        Assert.NotNull(Read("\ufeff// comment\n" + Documented.Replace("\"version\": 1,", "\"version\": 1, /* one */").TrimEnd()[..^1] + ",}").Manifest);

    [Fact]
    public void Paths_are_relative_to_the_manifest() => Assert.Equal(
        "/etc/apps/code/app.py", ManifestReader.Read(Encoding.UTF8.GetBytes(Documented.Replace("local:///path/to/application/__init__.py", "code/app.py")), "/etc/apps/a.json").Manifest!.Code.Source);

    [Fact]
    public void Code_that_is_not_there_is_a_mistake_when_files_are_checked() =>
        Assert.Contains("there is no file", ManifestReader.Read(Encoding.UTF8.GetBytes(Documented), "a.json", checkFiles: true).Problems[0].Message);

    [Fact]
    public void No_document_makes_the_reader_throw() => Gen.Select(Gen.Int[0, Documented.Length - 1], Gen.Char.AlphaNumeric, Gen.Int[0, 3]).Array[1, 6].Sample(changes =>
    {
        StringBuilder text = new(Documented);
        foreach ((int at, char with, int what) in changes)
        {
            int place = Math.Min(at, text.Length - 1);
            if (what == 0)
            {
                text.Remove(place, Math.Min(5, text.Length - place));
            }
            else
            {
                text[place] = what == 1 ? with : "{}[]\",:"[with % 7];
            }

            if (text.Length == 0)
            {
                break;
            }
        }

        ManifestResult result = Read(text.ToString());
        Assert.True(result.Manifest is not null || result.Problems.Count > 0);
    }, iter: 5000);

    [Fact]
    public void The_schema_is_json_and_names_every_key()
    {
        string schema = ManifestSchema.Write();
        using JsonDocument document = JsonDocument.Parse(schema);
        foreach (KeySpec spec in ManifestKeys.Engine.Concat(ManifestKeys.Drivers.Values.SelectMany(specs => specs)))
        {
            Assert.Contains($"\"{spec.Name}\"", schema);
        }
    }

    [Fact]
    public void The_tables_in_the_documentation_are_those_of_the_code()
    {
        const string Begin = "<!-- generated: the tables of the code; COCAINE_UPDATE_DOCS=1 scripts/test writes them anew -->\n";
        string path = Path.Combine(RepositoryRoot.Path, "docs", "manifest.md");
        string text = File.ReadAllText(path);
        int at = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        if (Environment.GetEnvironmentVariable("COCAINE_UPDATE_DOCS") == "1")
        {
            File.WriteAllText(path, text[..at] + ManifestDocumentation.Tables());
            return;
        }

        Assert.True(text[at..] == ManifestDocumentation.Tables(), "docs/manifest.md is not up to date: run the tests once with COCAINE_UPDATE_DOCS=1");
    }

    private static ManifestResult Read(string text) => ManifestReader.Read(Encoding.UTF8.GetBytes(text), "my-app.json");
}
