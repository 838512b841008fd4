using System.Diagnostics;
using Cocaine.Fast.Core.Rings;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.SharedMemory;

namespace Cocaine.Fast.Transport.Tests.SharedMemory;

public sealed class SegmentTests
{
    [Fact]
    public unsafe void A_segment_opened_by_its_descriptor_is_the_same_memory()
    {
        using Segment made = Segment.Create(64 << 10, 7, 5, shared: true);
        using Segment opened = Segment.Open(DescriptorCopy.Of(made.Descriptor));
        Assert.Equal(5, opened.SpinMicroseconds);
        made.Requests.Tail = 1234;
        made.Responses.Data[100] = 42;
        Assert.Equal((1234L, 42), (opened.Requests.Tail, opened.Responses.Data[100]));
    }

    [Fact]
    public void A_segment_has_its_pages_from_the_start_keeps_its_size_and_has_no_name()
    {
        using Segment made = Segment.Create(64 << 10, 7, 5, shared: true);
        string path = $"/proc/self/fd/{made.Descriptor}";
        using FileStream stream = new(path, FileMode.Open, FileAccess.ReadWrite);
        Assert.Equal(made.SizeBytes, stream.Length);
        Assert.Throws<UnauthorizedAccessException>(() => stream.SetLength(made.SizeBytes - 4096));
        Assert.Throws<UnauthorizedAccessException>(() => stream.SetLength(made.SizeBytes + 4096));
        Assert.StartsWith("/memfd:", File.ResolveLinkTarget(path, false)!.FullName);
        using Process stat = Process.Start(new ProcessStartInfo("/usr/bin/stat", ["-Lc", "%b %B", $"/proc/{Environment.ProcessId}/fd/{made.Descriptor}"])
        {
            RedirectStandardOutput = true,
        })!;
        long[] blocks = [.. stat.StandardOutput.ReadToEnd().Split(' ').Select(long.Parse)];
        Assert.True(blocks[0] * blocks[1] >= made.SizeBytes, $"{blocks[0]} blocks of {blocks[1]} bytes");
    }

    [Theory]
    [InlineData(RingDescriptor.MagicOffset)]
    [InlineData(RingDescriptor.VersionOffset)]
    [InlineData(RingDescriptor.SegmentSizeOffset)]
    [InlineData(RingDescriptor.RequestCapacityOffset)]
    [InlineData(RingDescriptor.ResponseOffsetOffset + 4)]
    public unsafe void A_header_that_is_wrong_is_refused(int offset)
    {
        using Segment made = Segment.Create(64 << 10, 1, 0, shared: true);
        byte* start = made.Requests.Data - RingDescriptor.HeaderSizeBytes;
        start[offset] ^= 0x7f;
        int descriptor = DescriptorCopy.Of(made.Descriptor);
        Assert.Throws<InvalidDataException>(() => Segment.Open(descriptor)); // which is closed by it
    }
}
