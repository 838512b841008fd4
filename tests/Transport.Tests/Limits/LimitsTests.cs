using System.Diagnostics;
using Cocaine.Fast.Transport.Limits;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Tests.Limits;

/// <summary>What the process may use and uses. It is counted for the whole process, so nothing runs beside it.</summary>
[Collection(nameof(Alone))]
public sealed class LimitsTests
{
    [Fact]
    public void Open_descriptors_are_counted()
    {
        int before = ProcessLimits.DescriptorsUsed();
        EventDescriptor[] bells = [.. Enumerable.Range(0, 300).Select(_ => new EventDescriptor())];
        int more = ProcessLimits.DescriptorsUsed();
        Array.ForEach(bells, bell => bell.Dispose());
        Assert.InRange(more - before, 290, 310); // the runtime may open or close one
        Assert.InRange(ProcessLimits.DescriptorsUsed() - before, -10, 10);
        Assert.InRange(before, 3, ProcessLimits.Descriptors);
    }

    [Theory]
    [InlineData(0, 8)]
    [InlineData(16, 8)]
    [InlineData(1 << 20, 64)]
    [InlineData(int.MaxValue, 64)]
    public void The_node_keeps_a_part_of_the_descriptors_that_is_never_nothing_and_has_a_bound(int limit, int kept) =>
        Assert.Equal(kept, NodeRoom.KeptForNode(limit));

    [Fact]
    public void Slaves_that_start_count_as_room_that_is_taken()
    {
        const int Some = 1_000;
        (int room, string reason) = NodeRoom.For(int.MaxValue / 2, tasks: 1, isFirst: false);
        if (room == int.MaxValue / 2)
        {
            Assert.Equal("", reason); // a machine without limits
            return;
        }

        Assert.NotEqual("", reason);
        Assert.True(room >= 0);
        for (int i = 0; i < Some; i++)
        {
            NodeRoom.Launch(tasks: 1);
        }

        int less = NodeRoom.For(int.MaxValue / 2, tasks: 1, isFirst: false).Room;
        for (int i = 0; i < Some; i++)
        {
            NodeRoom.Settle(tasks: 1);
        }

        Assert.InRange(less, 0, Math.Max(0, room - (Some / 2)));
        Assert.InRange(NodeRoom.For(int.MaxValue / 2, tasks: 1, isFirst: false).Room, room - 50, room + 50);
        Assert.True(NodeRoom.For(int.MaxValue / 2, tasks: 1, isFirst: true).Room >= room - 50);
    }

    [Fact]
    public void The_memory_of_a_process_is_what_the_kernel_says_and_of_none_it_is_none()
    {
        long own = ProcessMemory.ResidentBytes(Environment.ProcessId);
        using Process self = Process.GetCurrentProcess();
        Assert.InRange(own, self.WorkingSet64 / 2, self.WorkingSet64 * 2);
        Assert.Equal(0, ProcessMemory.ResidentBytes(int.MaxValue));
        Assert.Equal(0, ProcessMemory.ResidentBytes(-1));
    }

    [Fact]
    public void A_descriptor_of_our_own_is_not_inherited_and_one_that_is_closed_is_not_either()
    {
        using EventDescriptor bell = new();
        Assert.False(DescriptorState.IsInherited(bell.Descriptor));
        Assert.False(DescriptorState.IsInherited(1_000_000));
        Assert.False(DescriptorState.IsInherited(-1));
        Assert.True(DescriptorState.IsInherited(1));
    }
}
