using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Core.Tests.Security;

/// <summary>So many calls a second, however many threads ask.</summary>
public class CallRateTests
{
    private const long Second = 1_000_000_000;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(2000)]
    [InlineData(1_000_000)]
    public void A_second_of_silence_gives_a_second_of_calls_and_time_gives_the_rest(int rate)
    {
        CallRate bound = new(rate);
        int first = Count(bound, 10 * Second, rate * 2), then = Count(bound, 11 * Second, rate * 2), half = Count(bound, (11 * Second) + (Second / 2), rate * 2);
        Assert.Equal((rate, rate), (first, then));
        Assert.InRange(half, rate / 2, (rate / 2) + 1);
        Assert.Equal(rate, Count(bound, 1000 * Second, rate * 2)); // a long silence is not saved up
    }

    [Fact]
    public void Threads_together_get_no_more()
    {
        CallRate bound = new(10_000);
        int taken = 0;
        Parallel.For(0, 8, _ => Interlocked.Add(ref taken, Count(bound, Second, 10_000)));
        Assert.Equal(10_000, taken);
    }

    private static int Count(CallRate bound, long nowNs, int tries)
    {
        int taken = 0;
        for (int i = 0; i < tries; i++)
        {
            taken += bound.TryTake(nowNs) ? 1 : 0;
        }

        return taken;
    }
}
