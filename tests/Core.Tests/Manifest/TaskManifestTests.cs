using System.Text.Json;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;

namespace Cocaine.Fast.Core.Tests.Manifest;

public class TaskManifestTests
{
    private static readonly AppManifest Every = Samples.Read("good/every-driver.json").Manifest!;

    [Theory]
    [InlineData("good/readme.json")]
    [InlineData("good/minimal.json")]
    [InlineData("good/every-driver.json")]
    public void Good_samples_have_no_problems(string name)
    {
        ManifestResult result = Samples.Read(name);
        Assert.Empty(result.Problems);
        Assert.NotNull(result.Manifest);
    }

    [Fact]
    public void Every_driver_and_every_engine_key_is_in_the_sample()
    {
        using JsonDocument sample = JsonDocument.Parse(Samples.Text("good/every-driver.json"));
        IEnumerable<string?> drivers = sample.RootElement.GetProperty("tasks").EnumerateObject()
            .Select(task => task.Value.GetProperty("type").GetString());
        Assert.Empty(DriverRegistry.Table.Names.Except(drivers.OfType<string>()));
        IEnumerable<string> engine = sample.RootElement.GetProperty("engine").EnumerateObject().Select(key => key.Name);
        Assert.Empty(ManifestKeys.Engine.Select(spec => spec.Name).Except(engine));
    }

    [Fact]
    public void All_settings_of_an_engine_are_read() => Assert.Equal(
        new EngineSettings
        {
            PoolLimit = 4,
            Loops = 2,
            PoolMinimum = 2,
            Concurrency = 64,
            QueueLimit = 0,
            QueueTimeoutMs = 250,
            QueueBytes = 1 << 20,
            QueueOrder = QueueOrder.Adaptive,
            QueueTargetMs = 50,
            JobTimeoutMs = 90_000,
            HeartbeatTimeoutMs = 60_000,
            StartupTimeoutMs = 2_500,
            GrowWaitMs = 20,
            MinUptimeMs = 500,
            SuicideTimeoutMs = 7_200_000,
            TerminationTimeoutMs = 10_000,
            RetryLimit = 0,
            RetryLimitMax = 3,
            MaxJobs = 100_000,
            MaxAgeMs = 86_400_000,
            MaxRssBytes = 4L << 30,
            SpinMicroseconds = 20,
            PipeSizeBytes = 64 << 10,
            LedgerJobs = 1000,
        },
        Every.Engine);

    [Fact]
    public void A_task_has_a_job_timeout_whatever_its_driver_or_none_of_its_own()
    {
        Assert.Equal(1500, Every.Tasks.Single(task => task.Name == "tick").JobTimeoutMs);
        Assert.Equal(0, Every.Tasks.Single(task => task.Name == "manual").JobTimeoutMs);
        Assert.Null(Every.Tasks.Single(task => task.Name == "tock").JobTimeoutMs);
    }

    [Fact]
    public void Code_has_its_words_and_variables()
    {
        Assert.Equal(Path.Combine(Samples.Folder, "good/bin/App.dll"), Every.Code.Source);
        Assert.Equal(["--verbose", ""], Every.Code.Argv);
        Assert.Equal(new Dictionary<string, string> { ["MODE"] = "test", ["EMPTY"] = "" }, Every.Code.Env);
    }

    [Fact]
    public void Values_that_were_written_are_typed()
    {
        Assert.Equal((1000, 10L), (Task("tick").GetInt("interval"), Task("tick").GetLong("jitter")));
        Assert.Equal(("recurring-timer", 1000), (Task("tock").DriverType, Task("tock").GetInt("interval")));
        Assert.Equal("Europe/Berlin", Task("nightly").GetText("time-zone"));
        Assert.True(Task("spool").GetBool("recursive"));
        Assert.True(Task("call").GetBool("pass-authorization"));
        Assert.Equal(["billing", "@local"], Task("call").GetList("allow"));
        Assert.Equal("required", Task("call").GetText("sealed"));
        Assert.Equal(("mutual", "on"), (Task("call").GetText("tls"), Task("raw").GetText("tls")));
        Assert.Equal(["created", "moved"], Task("spool").Events);
        Assert.Equal((16, 5), (Task("call").Backlog, Task("pull").GetInt("backlog")));
        Assert.Equal((65_536, 0L), (Task("raw").GetInt("max-frame"), Task("raw").GetLong("idle-timeout")));
        Assert.Equal(["", "app"], Task("follow").GetList("topics"));
    }

    [Fact]
    public void Values_that_were_not_written_are_the_drivers_defaults()
    {
        TaskManifest daily = Task("daily");
        Assert.Equal(("UTC", "skip", "skip"), (daily.GetText("time-zone"), daily.GetText("overlap"), daily.GetText("missed")));
        Assert.False(Task("sink").GetBool("pass-authorization"));
        Assert.Equal("no", Task("sink").GetText("sealed"));
        Assert.Equal("off", Task("sink").GetText("tls"));
        Assert.Equal((1024, 1000), (Task("sink").Backlog, Task("route").Backlog));
        TaskManifest raw = Made("raw", "raw-server");
        Assert.Equal(("stream", 1 << 20, 60_000L), (raw.GetText("framing"), raw.GetInt("max-frame"), raw.GetLong("idle-timeout")));
        TaskManifest files = Made("files", "filesystem-monitor");
        Assert.Equal(["created", "modified", "deleted", "moved"], files.Events);
        Assert.Equal((50, false), (files.GetInt("settle"), files.GetBool("on-start")));
        Assert.Equal([""], Made("s", "zeromq-subscriber").GetList("topics"));
        Assert.Equal(["echo"], Made("echo", "native-server").Events);
    }

    [Fact]
    public void A_key_that_is_not_there_says_so()
    {
        TaskManifest timer = Made("tick", "recurring-timer");
        Assert.Equal(
            "task tick: recurring-timer has no value for 'interval'",
                Assert.Throws<KeyNotFoundException>(() => timer.GetInt("interval")).Message);
        Assert.Throws<KeyNotFoundException>(() => timer.GetText("path"));
        Assert.Throws<InvalidCastException>(() => timer.GetText("jitter"));
    }

    [Fact]
    public void A_driver_of_the_embedding_program_has_its_keys_as_they_are()
    {
        ReadOnlySpan<byte> text = """
            { "type": "python", "args": "a.py", "tasks": {
              "own": { "type": "udp-listener", "listen": "[::1]:5", "limit": 7, "loud": true, "words": ["a", "b"] },
              "bad": { "type": "udp-listener", "ratio": 0.5, "map": {}, "map": 1 },
              "not": { "type": "udp-listner" } } }
            """u8;
        ManifestResult result = ManifestReader.Read(text, "a.json", customDrivers: ["udp-listener"]);
        Assert.Equal(
            [
                "a.json:3:45: $.tasks.bad.ratio: expected a string, a whole number, true or false, or a list of strings, found the number 0.5",
                "a.json:3:57: $.tasks.bad.map: expected a string, a whole number, true or false, or a list of strings, found an empty object",
                "a.json:4:20: $.tasks.not.type: there is no driver 'udp-listner'; did you mean 'udp-listener'?",
            ],
            result.Problems.Select(problem => problem.ToString()));
        int cut = System.Text.Encoding.UTF8.GetString(text).IndexOf(",\n  \"bad\"", StringComparison.Ordinal);
        TaskManifest own = ManifestReader.Read([.. text[..cut], .. "}}"u8], "a.json", customDrivers: ["udp-listener"]).Manifest!.Tasks.Single();
        Assert.Equal(("udp-listener", "[::1]:5", 7, true), (own.DriverType, own.GetText("listen"), own.GetInt("limit"), own.GetBool("loud")));
        Assert.Equal(["a", "b"], own.GetList("words"));
    }

    /// <summary>A task as the node completes one that was made in code.</summary>
    private static TaskManifest Made(string name, string type) =>
        DriverRegistry.Complete(new TaskManifest { Name = name, DriverType = type });

    private static TaskManifest Task(string name) => Every.Tasks.Single(task => task.Name == name);
}
