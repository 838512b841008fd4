using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Languages.Tests.Apps;

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
        App() with { Code = new CodeSource { Source = Path.Combine(Repository.Root, "workers/javascript/tests/apps/broken.mjs") } },
        "nowhere.mjs");

    [NeedsFact("node", "nodejs")]
    public async Task A_busy_loop_is_shown_by_its_stack_before_it_is_killed()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App() with
        {
            Code = new CodeSource { Source = Path.Combine(Repository.Root, "tests/contract/javascript/busy.mjs") },
            Engine = new EngineSettings { PoolLimit = 1, HeartbeatTimeoutMs = 1000 },
        });
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        CocaineException hung = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("spin", Utf8.Of("x")));
        Assert.Equal(504, hung.Code);
        await node.LogLines.UntilAsync("at goesRoundForEver").WaitAsync(TimeSpan.FromSeconds(60));
        await node.LogLines.UntilAsync("1000 ms; signal 2 (SIGINT)").WaitAsync(TimeSpan.FromSeconds(60)); // not SIGKILL
    }

    private static AppManifest App() => new()
    {
        Name = "contract-javascript",
        Type = AppType.JavaScript,
        Code = new CodeSource { Source = Path.Combine(Repository.Root, "tests/contract/javascript/contract.mjs") },
        Engine = new EngineSettings { PoolLimit = 1, Concurrency = 64, QueueLimit = 1000 },
        Tasks = [new TaskManifest { Name = "t", DriverType = "native-server", Endpoints = ["tcp://127.0.0.1:0"], Events = ["*"] }],
    };
}
