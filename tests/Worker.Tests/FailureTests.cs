using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Worker.Tests;

/// <summary>Failures that are hard to show, and classes that are no apps.</summary>
public class FailureTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static TheoryData<BackendType, string> Backends => DotNetApps.Backends;

    [Theory]
    [MemberData(nameof(Backends))]
    public async Task Whatever_is_thrown_is_an_error_of_that_job_alone(BackendType backend, string pipe)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(DotNetApps.Of("Failures", backend, pipe));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        ClientCall cancelled = client.Open("callback");
        Assert.NotNull(await cancelled.ReadAsync().AsTask().WaitAsync(Limit));
        await cancelled.DisposeAsync(); // its callback throws on the loop
        foreach ((string name, string text) in ((string, string)[])
            [("throws", "Unshowable: (its text cannot be shown)"), ("null", "Silent: (its text cannot be shown)"),
            ("aggregate", "AggregateException: 2 exceptions, the first is AggregateException"),
            ("chain", "InvalidOperationException: outer")])
        {
            CocaineException failure = await FailAsync(client, name);
            Assert.Equal((502, text), (failure.Code, failure.Message));
        }

        CocaineException large = await FailAsync(client, "long");
        Assert.InRange(large.Message.Length, 4000, 4096);
        Assert.Equal("fine", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("fine")).WaitAsync(Limit)));
        Assert.Equal(0ul, app.Engine.Counters.SlavesDied);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("0")]
    public async Task An_app_is_not_broken_by_jobs_that_kill_each_slave_at_once(string pipe)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(
            DotNetApps.Of("Failures", BackendType.Process, pipe, new EngineSettings { PoolLimit = 1, RetryLimit = 0 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        for (int i = 0; i < 6; i++)
        {
            CocaineException failure = await FailAsync(client, "exit");
            Assert.Equal(502, failure.Code);
            Assert.EndsWith("died: exit code 3", failure.Message);
        }

        Assert.Equal("fine", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("fine")).WaitAsync(Limit)));
    }

    [Theory]
    [InlineData(BackendType.Thread)]
    [InlineData(BackendType.Process)]
    public async Task A_signature_that_no_event_can_have_is_told_with_those_that_it_can(BackendType backend)
    {
        string cause = await CauseAsync("WrongSignature", backend);
        Assert.Contains("Cocaine.TestApps.WrongSignature.Wrong has a signature that no event can have: "
            + "byte[] Wrong(ReadOnlyMemory<byte>). An event is one of string M(string); byte[] M(byte[]); "
            + "ReadOnlyMemory<byte> M(ReadOnlyMemory<byte>); ReadOnlySpan<byte> M(ReadOnlySpan<byte>); void M(Request, Response); Task M(Request, Response); "
            + "ValueTask M(Request, Response); IAsyncEnumerable<ReadOnlyMemory<byte>> M(Request)", cause);
    }

    [Fact]
    public async Task An_async_void_event_is_refused_at_the_start() =>
        Assert.Contains("Cocaine.TestApps.AsyncVoid.Void is async void", await CauseAsync("AsyncVoid", BackendType.Thread));

    [Fact]
    public async Task A_failing_constructor_is_told_by_its_text_and_its_stack_is_in_the_log_alone()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(DotNetApps.Of("FailingConstructor", BackendType.Thread), waitReady: false);
        NodeException failure = await Assert.ThrowsAsync<NodeException>(() => app.Ready.WaitAsync(Limit));
        Assert.Contains("InvalidOperationException: the database is starting up", failure.Message);
        Assert.DoesNotContain("   at ", failure.Message);
        Assert.Contains("   at Cocaine.TestApps.FailingConstructor..ctor()", node.Log);
    }

    private static Task<CocaineException> FailAsync(CocaineClient client, string name) =>
        Assert.ThrowsAsync<CocaineException>(() => client.CallAsync(name, Utf8.Of("")).WaitAsync(Limit));

    private static async Task<string> CauseAsync(string name, BackendType backend)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(DotNetApps.Of(name, backend), waitReady: false);
        return (await Assert.ThrowsAsync<NodeException>(() => app.Ready.WaitAsync(Limit))).Message;
    }
}
