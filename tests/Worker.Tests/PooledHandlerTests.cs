using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Cocaine.Fast.Worker.Tests;

/// <summary>Handlers that wait, with the SDK's builder.</summary>
[Collection(nameof(Alone))]
public class PooledHandlerTests
{
    private const int AtOnce = 100;
    private static readonly AsyncLocal<int> Local = new();

    [Fact]
    public void Many_handlers_that_wait_at_once_allocate_nothing_the_second_time()
    {
        Gate[] gates = [.. Enumerable.Range(0, AtOnce).Select(_ => new Gate())];
        ValueTask[] running = new ValueTask[AtOnce];
        int[] results = new int[AtOnce];
        Round();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Round();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.All(results, static (result, i) => Assert.Equal(2 * (2 + i), result));

        void Keep(int i, ValueTask task) => running[i] = task;

        void Round()
        {
            for (int i = 0; i < AtOnce; i++)
            {
                Keep(i, WaitTwiceAsync(gates[i], results, i));
            }

            for (int step = 0; step < 2; step++)
            {
                for (int i = AtOnce - 1; i >= 0; i--)
                {
                    gates[i].Open();
                }
            }

            foreach (ValueTask one in running)
            {
                Assert.True(one.IsCompletedSuccessfully);
                one.GetAwaiter().GetResult();
            }
        }
    }

    [Fact]
    public async Task Failures_come_before_and_after_a_wait()
    {
        Gate gate = new();
        Assert.Equal("at once", FailAsync(gate, "at once", waits: false).AsTask().Exception!.InnerException!.Message);
        ValueTask later = FailAsync(gate, "later", waits: true);
        Assert.False(later.IsCompleted);
        gate.Open();
        Assert.Equal("later", (await Assert.ThrowsAsync<InvalidOperationException>(async () => await later)).Message);
        await EndAtOnceAsync();
    }

    [Fact]
    public async Task The_flow_of_a_call_goes_on_after_a_wait_and_its_task_is_awaited_once()
    {
        Gate gate = new();
        int[] seen = new int[1];
        Local.Value = 1;
        ValueTask task = SeeAsync(gate, seen);
        Assert.Equal(1, Local.Value);
        using (ExecutionContext.SuppressFlow())
        {
            Thread elsewhere = new(gate.Open);
            elsewhere.Start();
            elsewhere.Join();
        }

        await task;
        Assert.Equal(7, seen[0]);
        Assert.Throws<InvalidOperationException>(() => task.IsCompleted);
    }

    [AsyncMethodBuilder(typeof(PooledHandlerMethodBuilder))]
    private static async ValueTask WaitTwiceAsync(Gate gate, int[] results, int i)
    {
        await gate.WaitAsync();
        results[i] += 1;
        await gate.WaitAsync();
        results[i] += 1 + i;
    }

    [AsyncMethodBuilder(typeof(PooledHandlerMethodBuilder))]
    private static async ValueTask FailAsync(Gate gate, string text, bool waits)
    {
        if (waits)
        {
            await gate.WaitAsync();
        }

        throw new InvalidOperationException(text);
    }

    [AsyncMethodBuilder(typeof(PooledHandlerMethodBuilder))]
    private static async ValueTask SeeAsync(Gate gate, int[] seen)
    {
        Local.Value = 7;
        await gate.WaitAsync();
        seen[0] = Local.Value;
    }

    [AsyncMethodBuilder(typeof(PooledHandlerMethodBuilder))]
    private static async ValueTask EndAtOnceAsync() => await default(ValueTask);

    /// <summary>A wait that makes no object.</summary>
    private sealed class Gate : IValueTaskSource
    {
        private ManualResetValueTaskSourceCore<bool> _source;

        public ValueTask WaitAsync() => new(this, _source.Version);

        public void Open() => _source.SetResult(true);

        public void GetResult(short token)
        {
            _source.GetResult(token);
            _source.Reset();
        }

        public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _source.OnCompleted(continuation, state, token, flags & ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext);
    }
}
