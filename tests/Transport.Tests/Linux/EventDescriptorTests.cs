using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Tests.Linux;

/// <summary>The doorbell between threads, one of which disposes of it while others ring.</summary>
public sealed unsafe class EventDescriptorTests
{
    private const int Rounds = 50_000;

    [Fact]
    public void A_bell_that_is_disposed_while_others_ring_it_writes_into_no_descriptor_of_others()
    {
        EventDescriptor bell = new();
        bool ends = false;
        Thread[] ringers = [.. Enumerable.Range(0, 6).Select(_ => new Thread(() =>
        {
            while (!Volatile.Read(ref ends))
            {
                Volatile.Read(ref bell).Ring();
                Thread.SpinWait(50); // so that the bell is often closed at once, and its number used again
            }
        }))];
        Array.ForEach(ringers, thread => thread.Start());
        int wrong = 0, reused = 0;
        try
        {
            for (int i = 0; i < Rounds; i++)
            {
                EventDescriptor old = bell;
                int number = old.Descriptor;
                old.Dispose();
                int foreign = LibC.eventfd(0, LibC.O_CLOEXEC | LibC.O_NONBLOCK); // the kernel gives the lowest number that is free
                reused += foreign == number ? 1 : 0;
                Thread.SpinWait(50);
                ulong count;
                wrong += LibC.read(foreign, &count, sizeof(ulong)) > 0 ? 1 : 0;
                _ = LibC.close(foreign);
                Volatile.Write(ref bell, new EventDescriptor());
            }
        }
        finally
        {
            Volatile.Write(ref ends, true);
            Array.ForEach(ringers, thread => thread.Join());
            bell.Dispose();
        }

        Assert.Equal(0, wrong);
        Assert.True(reused > Rounds / 100, $"only {reused} of {Rounds} numbers were used again: nothing was tested");
    }

    [Fact]
    public void A_bell_is_closed_once_however_often_it_is_disposed_and_rung_afterwards()
    {
        EventDescriptor bell = new();
        int number = bell.Descriptor;
        bell.Dispose();
        using EventDescriptor foreign = new();
        bell.Ring();
        bell.Dispose();
        bell.Ring();
        Assert.True(foreign.Descriptor != number || !Rang(foreign));
        foreign.Ring();
        Assert.True(Rang(foreign)); // open still
    }

    [Fact]
    public void Ringing_allocates_nothing()
    {
        using EventDescriptor bell = new();
        bell.Ring();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            bell.Ring();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static bool Rang(EventDescriptor bell)
    {
        ulong count;
        return LibC.read(bell.Descriptor, &count, sizeof(ulong)) > 0;
    }
}
