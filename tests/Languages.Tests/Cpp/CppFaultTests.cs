using System.Diagnostics;
using System.Globalization;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Languages.Tests.Cpp;

/// <summary>C++ handlers that do what they should not: their calls are answered, and nothing of it reaches another call.</summary>
public class CppFaultTests
{
    [CppTheory]
    [MemberData(nameof(CppNode.Kinds), MemberType = typeof(CppNode))]
    public async Task A_response_in_another_thread_is_refused(BackendType backend, bool isObject)
    {
        await using CppNode node = await CppNode.StartAsync(CppNode.Faults(backend, isObject));
        foreach (string name in (string[])["elsewhere", "elsewhere_on_stream"])
        {
            string[] lines = (await node.TextAsync(name, "x")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(6, lines.Length);
            Assert.All(lines, line => Assert.Contains("is used in another thread: response.later()", line));
        }
    }

    [CppTheory]
    [MemberData(nameof(CppNode.Kinds), MemberType = typeof(CppNode))]
    public async Task Chunks_that_are_too_long_are_refused_where_they_are_written(BackendType backend, bool isObject)
    {
        const string Text = "a chunk has at most 67108864 bytes, and this one has 67108865: write it in pieces";
        await using CppNode node = await CppNode.StartAsync(CppNode.Faults(backend, isObject));
        foreach (string name in (string[])["writes_long", "writes_long_on_thread", "writes_long_on_stream"])
        {
            CocaineException failure = await Assert.ThrowsAsync<CocaineException>(() => node.TextAsync(name, ""));
            Assert.Equal((1000, 413, $"cocaine::chunk_too_long: {Text}"), (failure.Category, failure.Code, failure.Message));
        }

        Assert.Equal(Text, await node.TextAsync("cuts", ""));
    }

    [CppTheory]
    [MemberData(nameof(CppNode.Kinds), MemberType = typeof(CppNode))]
    public async Task Threads_write_to_an_answer_of_later_in_their_order(BackendType backend, bool isObject)
    {
        await using CppNode node = await CppNode.StartAsync(CppNode.Faults(backend, isObject));
        string[] names = ["threads", "threads_on_thread", "threads"];
        string[] answers = await Task.WhenAll(names.Select(name => node.TextAsync(name, "40")));
        foreach (string answer in answers)
        {
            string[] lines = answer.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(8 * 40, lines.Length);
            for (int thread = 0; thread < 8; thread++)
            {
                Assert.Equal(
                    Enumerable.Range(0, 40).Select(i => $"{thread} {i}"),
                    lines.Where(line => line[0] == '0' + thread).Select(line => line[..line.LastIndexOf(' ')]));
            }
        }

        Assert.Equal("kept", await node.TextAsync("keeps", ""));
        Assert.Equal("refused", await node.TextAsync("writes_late", ""));
    }

    [CppTheory]
    [InlineData(BackendType.Process, false, "1")]
    [InlineData(BackendType.Process, false, "0")]
    [InlineData(BackendType.Thread, true, "1")]
    public async Task A_thread_that_reads_late_holds_its_caller_back_and_loses_nothing(BackendType backend, bool isObject, string pipe)
    {
        AppManifest manifest = CppNode.Faults(backend, isObject);
        await using CppNode node = await CppNode.StartAsync(manifest with
        {
            Code = manifest.Code with { Env = new Dictionary<string, string> { ["COCAINE_PIPE"] = pipe } },
        });
        for (int round = 0; round < 2; round++)
        {
            await using ClientCall call = node.Client.Open("reads_late");
            byte[] chunk = new byte[1 << 20];
            for (int i = 0; i < 48; i++)
            {
                await call.WriteAsync(chunk);
            }

            await call.CompleteAsync();
            Assert.Equal("waiting", Encoding.UTF8.GetString((await call.ReadAsync())!.Value.Span));
            Assert.Equal($"{48 << 20}", Encoding.UTF8.GetString((await call.ReadAsync())!.Value.Span));
            Assert.Null(await call.ReadAsync());
            Assert.Equal("on", await node.TextAsync("echo", "on"));
        }
    }

    [CppTheory]
    [MemberData(nameof(CppNode.Kinds), MemberType = typeof(CppNode))]
    public async Task Whatever_is_thrown_is_an_error_of_a_bounded_length(BackendType backend, bool isObject)
    {
        await using CppNode node = await CppNode.StartAsync(CppNode.Faults(backend, isObject));
        foreach (string name in (string[])["fails", "fails_on_thread"])
        {
            foreach (string way in (string[])["int", "pointer", "silent", "huge", "memory", "nested"])
            {
                CocaineException failure = await Assert.ThrowsAsync<CocaineException>(() => node.TextAsync(name, way));
                Assert.Equal((1000, 502), (failure.Category, failure.Code));
                Assert.InRange(failure.Message.Length, 1, 4096);
            }
        }

        CocaineException own = await Assert.ThrowsAsync<CocaineException>(() => node.TextAsync("fails_by_itself", ""));
        Assert.Equal((42, 77, 4096), (own.Category, own.Code, own.Message.Length));
        Assert.Equal("on", await node.TextAsync("echo", "on"));
    }

    /// <summary>Not in a thread of the node: that child would be one of the tests' own process.</summary>
    [CppTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_forked_child_that_comes_back_ends_and_answers_nothing(bool isObject)
    {
        await using CppNode node = await CppNode.StartAsync(CppNode.Faults(BackendType.Process, isObject));
        string pid = await node.TextAsync("pid", "");
        foreach (string name in (string[])["forks", "forks_on_thread", "forks_on_stream"])
        {
            Assert.Equal("0", await node.TextAsync(name, "return"));
            Assert.Equal("1", await node.TextAsync(name, "throw"));
            Assert.Equal("1", await node.TextAsync(name, "exec"));
            Assert.Equal("3", await node.TextAsync(name, "exit"));
            Assert.Equal("1", await node.TextAsync(name, "write"));
            Assert.Equal("1", await node.TextAsync(name, "answer"));
        }

        Assert.Equal(pid, await node.TextAsync("pid", ""));
        await node.Node.LogLines.UntilAsync("a forked child cannot answer").WaitAsync(TimeSpan.FromSeconds(60));
    }

    [CppTheory]
    [MemberData(nameof(CppNode.Kinds), MemberType = typeof(CppNode))]
    public async Task An_answer_that_is_kept_ends_when_its_caller_gives_up(BackendType backend, bool isObject)
    {
        await using CppNode node = await CppNode.StartAsync(CppNode.Faults(backend, isObject));
        foreach (string name in (string[])["holds", "holds_on_stream", "holds_on_thread"])
        {
            ClientCall call = node.Client.Open(name);
            await call.WriteAsync(Utf8.Of("x"));
            await call.CompleteAsync();
            Assert.Equal("held", Encoding.UTF8.GetString((await call.ReadAsync())!.Value.Span));
            await call.DisposeAsync();
            await node.App.UntilInfoShowsAsync("\"running\":0");
        }

        Assert.Equal("on", await node.TextAsync("echo", "on"));
    }

    [CppTheory]
    [InlineData("spins")]
    [InlineData("spins_on_thread")]
    public async Task SIGUSR2_shows_where_a_handler_hangs(string name)
    {
        await using CppNode node = await CppNode.StartAsync(CppNode.Faults(BackendType.Process, isObject: false));
        string pid = await node.TextAsync("pid", "");
        ClientCall call = node.Client.Open(name);
        await call.WriteAsync(Utf8.Of("x"));
        await call.CompleteAsync();
        Assert.NotNull(await call.ReadAsync());
        CppBuild.Run("/bin/kill", "-USR2", pid);
        await node.Node.LogLines.UntilAsync("spin_for_ever").WaitAsync(TimeSpan.FromSeconds(60));
        await node.Node.LogLines.UntilAsync("is here:").WaitAsync(TimeSpan.FromSeconds(60));
        using Process worker = Process.GetProcessById(int.Parse(pid, CultureInfo.InvariantCulture));
        worker.Kill(); // it would never end by itself
        await Assert.ThrowsAsync<CocaineException>(async () => await call.ReadAsync());
        await call.DisposeAsync();
    }
}
