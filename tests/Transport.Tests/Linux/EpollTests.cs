using System.Diagnostics;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Tests.Linux;

/// <summary>What an epoll tells, with bells as its descriptors.</summary>
public sealed class EpollTests : IDisposable
{
    private readonly Epoll _epoll = new();
    private readonly EventDescriptor _bell = new();

    public void Dispose()
    {
        _bell.Dispose();
        _epoll.Dispose();
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(0x1234_5678_9abc_def0UL)]
    [InlineData(ulong.MaxValue)]
    public void An_event_brings_all_of_its_data(ulong data)
    {
        _epoll.Watch(_bell.Descriptor, Epoll.In, data);
        Assert.Equal(0, _epoll.Wait(0));
        _bell.Ring();
        Assert.Equal(1, _epoll.Wait(0));
        Assert.Equal(Epoll.In, _epoll.Event(0, out ulong came));
        Assert.Equal(data, came);
    }

    [Fact]
    public void An_edge_is_told_once_and_a_new_ring_is_a_new_edge()
    {
        _epoll.Watch(_bell.Descriptor, Epoll.In | Epoll.EdgeTriggered, 1);
        _bell.Ring();
        Assert.Equal(1, _epoll.Wait(0));
        Assert.Equal(0, _epoll.Wait(0));
        _bell.Ring();
        Assert.Equal(1, _epoll.Wait(0));
    }

    [Fact]
    public void What_is_changed_is_heard_with_its_new_data_and_what_is_forgotten_is_not_heard()
    {
        _epoll.Watch(_bell.Descriptor, Epoll.In, 1);
        _bell.Ring();
        _epoll.Change(_bell.Descriptor, Epoll.In, 2);
        Assert.Equal(1, _epoll.Wait(0));
        _epoll.Event(0, out ulong data);
        Assert.Equal(2UL, data);
        _epoll.Change(_bell.Descriptor, 0, 2);
        Assert.Equal(0, _epoll.Wait(0));
        _epoll.Change(_bell.Descriptor, Epoll.In, 2);
        _epoll.Forget(_bell.Descriptor);
        Assert.Equal(0, _epoll.Wait(0));
        _epoll.Forget(_bell.Descriptor); // twice is no error
    }

    [Fact]
    public void A_descriptor_that_is_watched_twice_or_is_not_open_is_refused()
    {
        _epoll.Watch(_bell.Descriptor, Epoll.In, 1);
        Assert.Throws<IOException>(() => _epoll.Watch(_bell.Descriptor, Epoll.In, 2));
        Assert.Throws<IOException>(() => _epoll.Watch(-1, Epoll.In, 2));
    }

    [Fact]
    public void More_events_than_one_wait_has_room_for_come_with_the_next()
    {
        EventDescriptor[] bells = [.. Enumerable.Range(0, Epoll.MaxEvents + 20).Select(_ => new EventDescriptor())];
        for (int i = 0; i < bells.Length; i++)
        {
            _epoll.Watch(bells[i].Descriptor, Epoll.In | Epoll.EdgeTriggered, (ulong)i);
            bells[i].Ring();
        }

        HashSet<ulong> heard = [];
        int[] counts = [_epoll.Wait(0), 0];
        Hear(counts[0]);
        counts[1] = _epoll.Wait(0);
        Hear(counts[1]);
        Array.ForEach(bells, bell => bell.Dispose());
        Assert.Equal([Epoll.MaxEvents, 20], counts);
        Assert.Equal(bells.Length, heard.Count);

        void Hear(int count)
        {
            for (int i = 0; i < count; i++)
            {
                _epoll.Event(i, out ulong data);
                heard.Add(data);
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(300_000)]
    [InlineData(2_500_000)]
    public void A_wait_ends_after_its_time_and_not_before(long timeoutNs)
    {
        long start = Stopwatch.GetTimestamp();
        Assert.Equal(0, _epoll.WaitNs(timeoutNs));
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalNanoseconds, timeoutNs, 10e9);
    }
}
