using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Languages.Tests.Cpp;

/// <summary>C++ apps in a node: as a program, as a shared object in a worker process, and in a thread of the node.</summary>
public class CppAppTests
{
    [CppTheory]
    [MemberData(nameof(CppNode.Kinds), MemberType = typeof(CppNode))]
    public async Task Calls_streams_errors_and_large_messages_are_served(BackendType backend, bool isObject)
    {
        await using CppNode node = await CppNode.StartAsync(CppNode.Contract(backend, isObject));
        Assert.Equal("hello", Text(await node.Client.CallAsync("echo", Utf8.Of("hello"))));
        Assert.StartsWith("cpp-contract ", Text(await node.Client.CallAsync("whoami", default(ReadOnlyMemory<byte>))), StringComparison.Ordinal);
        Assert.EndsWith(" whoami 3", Text(await node.Client.CallAsync("whoami", default(ReadOnlyMemory<byte>))), StringComparison.Ordinal);
        byte[] large = new byte[20 << 20];
        new Random(3).NextBytes(large);
        byte[] answer = await node.Client.CallAsync("relay", large);
        Assert.True(large.AsSpan().SequenceEqual(answer));
        CocaineException raised = await Assert.ThrowsAsync<CocaineException>(() => node.Client.CallAsync("raises", Utf8.Of("no luck")));
        Assert.Equal((1000, 502, "std::runtime_error: no luck"), (raised.Category, raised.Code, raised.Message));
        Assert.Equal(404, (await Assert.ThrowsAsync<CocaineException>(() => node.Client.CallAsync("nothing", default(ReadOnlyMemory<byte>)))).Code);
        string kind = backend == BackendType.Thread ? "thread" : "shared memory";
        Assert.Contains($"\"pipe\":\"{kind}\"", await node.App.InfoJsonAsync());
    }

    [CppTheory]
    [MemberData(nameof(CppNode.Kinds), MemberType = typeof(CppNode))]
    public async Task An_answer_that_is_let_go_of_is_closed_with_its_last_copy(BackendType backend, bool isObject)
    {
        await using CppNode node = await CppNode.StartAsync(CppNode.Contract(backend, isObject));
        foreach (string name in (string[])["forgets", "forgets_on_thread"])
        {
            Assert.Equal("first second", Text(await node.Client.CallAsync(name, Utf8.Of("x")).WaitAsync(TimeSpan.FromSeconds(20))));
        }
    }

    [CppTheory]
    [MemberData(nameof(CppNode.Kinds), MemberType = typeof(CppNode))]
    public async Task Handlers_that_wait_do_so_side_by_side(BackendType backend, bool isObject)
    {
        await using CppNode node = await CppNode.StartAsync(CppNode.Contract(backend, isObject));
        ClientCall[] waiting = [.. Enumerable.Range(0, 50).Select(_ => node.Client.Open("waits"))];
        foreach (ClientCall call in waiting)
        {
            ClientCall.Enumerator chunks = call.ReadAllAsync().GetAsyncEnumerator();
            Assert.True(await chunks.MoveNextAsync()); // all fifty have begun before one goes on
            Assert.Equal("waiting", Text(chunks.Current));
        }

        Assert.Equal("quick", Text(await node.Client.CallAsync("echo", Utf8.Of("quick"))));
        foreach (ClientCall call in waiting)
        {
            await call.DisposeAsync(); // gives up: the handlers see it, or the node could not drain
        }
    }

    [CppFact]
    public async Task A_handler_that_never_returns_in_a_thread_is_given_up_and_another_serves()
    {
        await using TestNode node = TestNode.Start();
        AppManifest manifest = CppNode.Contract(BackendType.Thread, isObject: true);
        RunningApp app = await node.AddAsync(manifest with
        {
            Engine = manifest.Engine with { Concurrency = 1, RetryLimit = 0, TerminationTimeoutMs = 200 },
        });
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        CallOptions soon = new() { Timeout = TimeSpan.FromMilliseconds(300) };
        Assert.Equal(504, (await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("sleeps", Utf8.Of("7000"), soon))).Code);
        Assert.Equal("next", Text(await client.CallAsync("echo", Utf8.Of("next"))));
    }

    [CppFact]
    public async Task A_file_that_is_no_app_fails_the_start_and_says_why()
    {
        await using TestNode node = TestNode.Start();
        string file = Path.Combine(Directory.CreateTempSubdirectory().FullName, "empty.so");
        File.WriteAllText(file, "no shared object");
        AppManifest manifest = CppNode.Contract(BackendType.Thread, isObject: true) with { Code = new CodeSource { Source = file } };
        RunningApp app = await node.AddAsync(manifest, waitReady: false);
        NodeException failure = await Assert.ThrowsAsync<NodeException>(() => app.Ready.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Contains("empty.so cannot be loaded", failure.Message);
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }

    [CppFact("cmake")]
    public async Task The_example_builds_against_the_installed_package_and_answers()
    {
        string folder = Directory.CreateTempSubdirectory("cocaine-cmake-").FullName;
        try
        {
            string prefix = Path.Combine(folder, "prefix"), build = Path.Combine(folder, "build");
            CppBuild.Run("cmake", "-S", Path.Combine(Repository.Root, "workers/cpp"), "-B", Path.Combine(folder, "package"));
            CppBuild.Run("cmake", "--install", Path.Combine(folder, "package"), "--prefix", prefix);
            string source = Path.Combine(folder, "source");
            Directory.CreateDirectory(source); // alone, so that it finds the installed package or nothing
            foreach (string file in (string[])["CMakeLists.txt", "echo.cpp"])
            {
                File.Copy(Path.Combine(Repository.Root, "examples/cpp-echo", file), Path.Combine(source, file));
            }

            CppBuild.Run("cmake", "-S", source, "-B", build, $"-DCMAKE_PREFIX_PATH={prefix}");
            CppBuild.Run("cmake", "--build", build);
            await using TestNode node = TestNode.Start();
            AppManifest manifest = CppNode.Contract(BackendType.Process, isObject: false);
            RunningApp app = await node.AddAsync(manifest with { Code = new CodeSource { Source = Path.Combine(build, "cpp-echo") } });
            await using CocaineClient client = await TestNode.ConnectAsync(app);
            Assert.Equal("hello", Text(await client.CallAsync("echo", Utf8.Of("hello"))));
            Assert.Equal("7\n", Text(await client.CallAsync("sum", Utf8.Of("7"))));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
