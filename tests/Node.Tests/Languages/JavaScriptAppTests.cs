using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Node.Tests;

public class JavaScriptAppTests
{
    [NeedsFact("node", "nodejs")]
    public Task Answers_stream_and_errors_have_their_codes() => ScriptApps.AnswersAndErrorsAsync(App());

    [NeedsFact("node", "nodejs")]
    public Task Both_ways_are_streams() => ScriptApps.StreamsAsync(App());

    [NeedsFact("node", "nodejs")]
    public Task A_handler_sees_that_its_caller_gave_up() => ScriptApps.CancelIsSeenAsync(App());

    [NeedsFact("node", "nodejs")]
    public Task Large_messages_go_through() => ScriptApps.LargeMessagesAsync(App());

    [NeedsFact("node", "nodejs")]
    public Task A_handler_knows_its_call_and_prints_to_the_log() => ScriptApps.KnowsItsCallAsync(App());

    [NeedsFact("node", "nodejs")]
    public Task An_app_that_does_not_load_is_a_failed_start_with_its_error() => ScriptApps.FailedStartAsync(
        App() with { Code = new CodeSource { Source = Path.Combine(Apps.Root, "workers/javascript/tests/apps/broken.mjs") } },
        "nowhere.mjs");

    private static AppManifest App() => new()
    {
        Name = "contract-javascript",
        Type = AppType.JavaScript,
        Code = new CodeSource { Source = Path.Combine(Apps.Root, "tests/contract/javascript/contract.mjs") },
        Engine = new EngineSettings { PoolLimit = 1, Concurrency = 64, QueueLimit = 1000 },
        Tasks = [new TaskManifest { Name = "t", DriverType = "native-server", Endpoints = ["tcp://127.0.0.1:0"], Events = ["*"] }],
    };
}
