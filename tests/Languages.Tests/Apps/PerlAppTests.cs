using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Languages.Tests.Apps;

public class PerlAppTests
{
    [NeedsFact("perl", "perl")]
    public Task Answers_stream_and_errors_have_their_codes() => ScriptApps.AnswersAndErrorsAsync(App());

    [NeedsFact("perl", "perl")]
    public Task Both_ways_are_streams() => ScriptApps.StreamsAsync(App());

    [NeedsFact("perl", "perl")]
    public Task A_handler_sees_that_its_caller_gave_up() => ScriptApps.CancelIsSeenAsync(App());

    [NeedsFact("perl", "perl")]
    public Task Large_messages_go_through() => ScriptApps.LargeMessagesAsync(App());

    [NeedsFact("perl", "perl")]
    public Task A_handler_knows_its_call_and_prints_to_the_log() => ScriptApps.KnowsItsCallAsync(App());

    [NeedsFact("perl", "perl")]
    public Task An_app_that_does_not_load_is_a_failed_start_with_its_error() => ScriptApps.FailedStartAsync(
        App() with { Code = new CodeSource { Source = Path.Combine(Repository.Root, "workers/perl/tests/apps/broken.pl") } },
        "No/Such/Module.pm");

    private static AppManifest App() => new()
    {
        Name = "contract-perl",
        Type = AppType.Perl,
        Code = new CodeSource { Source = Path.Combine(Repository.Root, "tests/contract/perl/contract.pl") },
        Engine = new EngineSettings { PoolLimit = 1, Concurrency = 64, QueueLimit = 1000 },
        Tasks = [new TaskManifest { Name = "t", DriverType = "native-server", Endpoints = ["tcp://127.0.0.1:0"], Events = ["*"] }],
    };
}
