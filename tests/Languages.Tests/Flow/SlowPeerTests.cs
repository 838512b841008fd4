using Cocaine.Fast.Languages.Tests.Cpp;
using Xunit.Abstractions;

namespace Cocaine.Fast.Languages.Tests.Flow;

/// <summary>
/// Slow callers and slow handlers cost no memory, in every language and with handlers of every style. COCAINE_SLOW_PEERS_MIB=2048 makes the
/// transfers long. One at a time: the memory of a node is looked at.
/// </summary>
[Collection(nameof(Alone))]
public class SlowPeerTests(ITestOutputHelper output)
{
    public static TheoryData<string, string, string> Python => new()
    {
        { "flow.py", "1", "floods" }, { "flow.py", "1", "yields" }, { "flow.py", "0", "floods" },
        { "async_flow.py", "1", "floods" }, { "async_flow.py", "1", "yields" }, { "async_flow.py", "1", "threads" },
        { "async_flow.py", "0", "floods" },
    };

    public static TheoryData<string, string, string> Cpp => new()
    {
        { "process", "1", "floods" }, { "process", "1", "threads" }, { "process", "1", "later" }, { "process", "0", "threads" },
        { "thread", "1", "floods" }, { "thread", "1", "threads" }, { "thread", "1", "later" },
    };

    [Theory]
    [MemberData(nameof(Python))]
    public Task A_Python_worker_stays_as_large_as_it_was(string file, string pipe, string name) =>
        BothAsync("python", Args($"python/{file}", pipe), name);

    [CppTheory]
    [MemberData(nameof(Cpp))]
    public Task A_Cpp_worker_stays_as_large_as_it_was(string backend, string pipe, string name) => BothAsync(
        "cpp", backend == "thread"
            ? $$"""{ "source": "{{CppBuild.SlowPeersObject}}" }"""
            : $$"""{ "source": "{{CppBuild.SlowPeersProgram}}", "env": { "COCAINE_PIPE": "{{pipe}}" } }""",
        name, backend);

    [NeedsFact("perl", "perl")]
    public async Task A_Perl_worker_stays_as_large_as_it_was()
    {
        await BothAsync("perl", Args("perl/flow.pl"), "floods");
        await BothAsync("perl", Args("perl/flow.pl"), "yields");
    }

    [NeedsFact("node", "nodejs")]
    public async Task A_JavaScript_worker_stays_as_large_as_it_was()
    {
        await BothAsync("javascript", Args("javascript/flow.mjs"), "floods");
        await BothAsync("javascript", Args("javascript/flow.mjs"), "yields");
    }

    private static string Args(string file, string pipe = "0") =>
        $$"""{ "source": "{{Repository.Root}}/tests/contract/{{file}}", "env": { "COCAINE_PIPE": "{{pipe}}" } }""";

    private async Task BothAsync(string type, string args, string name, string backend = "process")
    {
        await using SlowPeers peers = await SlowPeers.StartAsync(type, args, backend, output.WriteLine);
        await peers.DownloadAsync(name);
        await peers.UploadAsync();
    }
}
