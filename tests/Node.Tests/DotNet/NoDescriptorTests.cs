using System.Runtime.InteropServices;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Node.Tests.DotNet;

/// <summary>
/// The launch of a thread slave when the process has no descriptor left, at each step that takes one. Alone: it is this process.
/// </summary>
[Collection(nameof(Alone))]
public class NoDescriptorTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    [Theory]
    [InlineData(0)] // the node's bell
    [InlineData(1)] // the slave's bell
    [InlineData(2)] // what the thread itself opens
    [InlineData(3)]
    public async Task A_launch_that_gets_no_descriptor_is_a_failed_start_and_every_call_is_answered(int free)
    {
        await using TestNode node = TestNode.Start();

        // No slave is left when the call comes: a first one is launched whatever room there is, others are asked for room before.
        EngineSettings engine = new() { PoolLimit = 1, QueueLimit = 0, SuicideTimeoutMs = 300 };
        RunningApp app = await node.AddAsync(TestApps.Of("Hanging", BackendType.Thread, engine: engine));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        Assert.Equal("warm", Encoding.UTF8.GetString(await client.CallAsync("echo", Apps.Bytes("warm")).WaitAsync(Limit)));
        await app.UntilAsync(info => info.GetProperty("pool").GetProperty("total").GetInt32() == 0);
        Task<byte[]> call;
        Task failed = node.LogLines.UntilAsync("died while Starting");
        using (new FullTable(free))
        {
            call = client.CallAsync("echo", Apps.Bytes("waits"));
            await failed.WaitAsync(Limit);
        }

        try
        {
            Assert.Equal("waits", Encoding.UTF8.GetString(await call.WaitAsync(Limit))); // a later start succeeds
        }
        catch (CocaineException broken)
        {
            Assert.Equal(500, broken.Code); // three starts had failed before the table had room again
        }

        await app.UntilAsync(info => info.GetProperty("state").GetString() == "running");
        Assert.Equal("well", Encoding.UTF8.GetString(await client.CallAsync("echo", Apps.Bytes("well")).WaitAsync(Limit)));
        Assert.DoesNotContain("Please report", node.Log);
        Assert.InRange(app.Engine.Counters.SlaveStartFailures, 1ul, 100ul);
    }

    /// <summary>A table of descriptors with so many places free, until it is disposed of.</summary>
    private sealed class FullTable : IDisposable
    {
        private const int Descriptors = 7; // RLIMIT_NOFILE
        private readonly ulong[] _before = new ulong[2];
        private readonly List<int> _taken = [];

        public FullTable(int free)
        {
            _ = getrlimit(Descriptors, _before);
            int highest = Directory.GetFiles("/proc/self/fd").Max(path => int.Parse(Path.GetFileName(path)));
            _ = setrlimit(Descriptors, [(ulong)highest + 16, _before[1]]);
            for (int descriptor = dup(2); descriptor >= 0; descriptor = dup(2))
            {
                _taken.Add(descriptor);
            }

            for (int i = 0; i < free; i++)
            {
                _ = close(_taken[i]);
            }

            _taken.RemoveRange(0, free);
        }

        public void Dispose()
        {
            _taken.ForEach(descriptor => close(descriptor));
            _ = setrlimit(Descriptors, _before);
        }

        [DllImport("libc")]
        private static extern int getrlimit(int resource, ulong[] limits);

        [DllImport("libc")]
        private static extern int setrlimit(int resource, ulong[] limits);

        [DllImport("libc")]
        private static extern int dup(int descriptor);

        [DllImport("libc")]
        private static extern int close(int descriptor);
    }
}
