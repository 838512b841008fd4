using System.Threading.Channels;
using BenchmarkDotNet.Attributes;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Bench.Micro;

/// <summary>Waking a thread that sleeps, and being woken by it: a round trip. Where the threads run decides most of it.</summary>
public class DoorbellBenchmarks
{
    private readonly List<Action> _ends = [];
    private Action _roundTrip = () => { };

    [GlobalSetup(Target = nameof(Bell))]
    public void SetupBell()
    {
        EventDescriptor ping = new(), pong = new();
        Epoll mine = Watching(pong), theirs = Watching(ping);
        Pair(() => { ping.Ring(); Wait(mine); }, () => Wait(theirs), pong.Ring, ping.Ring);
        _ends.Add(() => { mine.Dispose(); theirs.Dispose(); ping.Dispose(); pong.Dispose(); });

        static Epoll Watching(EventDescriptor bell)
        {
            Epoll epoll = new();
            epoll.Watch(bell.Descriptor, Epoll.In | Epoll.EdgeTriggered, 0);
            return epoll;
        }

        static void Wait(Epoll epoll)
        {
            while (epoll.Wait(1000) == 0)
            {
                // a second went by: look again
            }
        }
    }

    [GlobalSetup(Target = nameof(Semaphore))]
    public void SetupSemaphore()
    {
        SemaphoreSlim ping = new(0), pong = new(0);
        Pair(() => { ping.Release(); pong.Wait(); }, ping.Wait, () => pong.Release(), () => ping.Release());
    }

    [GlobalSetup(Target = nameof(Event))]
    public void SetupEvent()
    {
        AutoResetEvent ping = new(false), pong = new(false);
        Pair(() => { ping.Set(); pong.WaitOne(); }, () => ping.WaitOne(), () => pong.Set(), () => ping.Set());
    }

    [GlobalSetup(Target = nameof(Channel))]
    public void SetupChannel()
    {
        Channel<int> ping = System.Threading.Channels.Channel.CreateUnbounded<int>();
        Channel<int> pong = System.Threading.Channels.Channel.CreateUnbounded<int>();
        Pair(
            () => { ping.Writer.TryWrite(1); pong.Reader.ReadAsync().AsTask().GetAwaiter().GetResult(); },
            () => ping.Reader.ReadAsync().AsTask().GetAwaiter().GetResult(), () => pong.Writer.TryWrite(1), () => ping.Writer.TryWrite(1));
    }

    [Benchmark(Baseline = true, Description = "eventfd and epoll")]
    public void Bell() => _roundTrip();

    [Benchmark(Description = "SemaphoreSlim")]
    public void Semaphore() => _roundTrip();

    [Benchmark(Description = "AutoResetEvent")]
    public void Event() => _roundTrip();

    [Benchmark(Description = "Channel, blocking")]
    public void Channel() => _roundTrip();

    [GlobalCleanup]
    public void Cleanup()
    {
        _ends.ForEach(end => end());
        _ends.Clear();
    }

    /// <summary>A thread that answers each ping with a pong, until the cleanup.</summary>
    private void Pair(Action roundTrip, Action waitForPing, Action pong, Action lastPing)
    {
        _roundTrip = roundTrip;
        bool over = false;
        Thread peer = new(() =>
        {
            while (true)
            {
                waitForPing();
                if (Volatile.Read(ref over))
                {
                    return;
                }

                pong();
            }
        })
        { IsBackground = true };
        peer.Start();
        _ends.Add(() =>
        {
            Volatile.Write(ref over, true);
            lastPing();
            peer.Join();
        });
    }
}
