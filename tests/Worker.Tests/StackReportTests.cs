using System.Diagnostics;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Worker.Tests;

/// <summary>What a worker process tells at SIGUSR2, and the node of a thread that it gives up.</summary>
public class StackReportTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("1")]
    [InlineData("0")]
    public async Task A_worker_whose_loop_hangs_tells_what_runs_and_lives_on(string pipe)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(DotNetApps.Of("Hanging", BackendType.Process, pipe));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string gate = Path.Combine(Path.GetTempPath(), $"gate-{Guid.NewGuid():N}");
        Task<byte[]> hangs = client.CallAsync("until", Utf8.Of(gate));
        int worker = 0;
        await app.UntilAsync(info => info.GetProperty("pool").GetProperty("slaves") is { } slaves && slaves.GetArrayLength() > 0
            && slaves[0].GetProperty("state").GetString() == "busy" && (worker = slaves[0].GetProperty("pid").GetInt32()) > 0);
        Task told = node.LogLines.UntilAsync("event 'until', channel 2: runs on the slave's thread, for ");
        Task threads = node.LogLines.UntilAsync("s of CPU, in the kernel at ");
        for (int i = 0; i < 60 && !told.IsCompleted; i++)
        {
            using Process kill = Process.Start("/bin/kill", ["-USR2", $"{worker}"]); // again while the job is on its way to the worker
            await kill.WaitForExitAsync();
            await Task.WhenAny(told, Task.Delay(1000));
        }

        Assert.True(told.IsCompleted, node.Log);
        await threads.WaitAsync(Limit);
        File.WriteAllText(gate, "");
        await hangs.WaitAsync(Limit);
        Assert.Equal(0ul, app.Engine.Counters.SlavesDied);
        File.Delete(gate);
    }

    [Fact]
    public async Task The_log_says_what_a_thread_that_is_given_up_runs()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(DotNetApps.Of("Hanging", BackendType.Thread, engine: new() { HeartbeatTimeoutMs = 1000 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string gate = Path.Combine(Path.GetTempPath(), $"gate-{Guid.NewGuid():N}");
        await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("until", Utf8.Of(gate)).WaitAsync(Limit));
        Task given = node.LogLines.UntilAsync("event 'until', channel 2: runs on the slave's thread, for ");
        await given.WaitAsync(Limit);
        File.WriteAllText(gate, "");
        await node.LogLines.UntilAsync("which was given up, has ended; 0 are left").WaitAsync(Limit);
        File.Delete(gate);
    }
}
