using Cocaine.Fast.Core.Rings;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.SharedMemory;
using Microsoft.Win32.SafeHandles;

namespace Cocaine.Fast.Transport.Tests.SharedMemory;

public sealed class BeginPageTests
{
    [Fact]
    public void Both_sides_see_the_words_and_a_recall_stops_what_would_begin()
    {
        using BeginPage made = BeginPage.Create(3);
        using BeginPage opened = BeginPage.Open(DescriptorCopy.Of(made.Descriptor));
        Assert.Equal((3, false), (opened.Words.MostBegun, made.Words.AreKept));
        opened.Words.Keep();
        Assert.True(made.Words.AreKept);
        Assert.True(opened.Words.TryBegin(7, recalls: 0));
        Assert.Equal((1, 7ul), (made.Words.BeginRecall(out ulong begun), begun));
        Assert.False(opened.Words.TryBegin(8, recalls: 0));
        Assert.Equal(8ul, made.Words.Begun); // the node's reading was before, and decides
        Assert.True(opened.Words.TryBegin(8, recalls: 1));
    }

    /// <summary>A worker's pwrite may go byte by byte, and may stop in the middle.</summary>
    [Fact]
    public void While_both_copies_of_begun_differ_everything_counts_as_begun()
    {
        using BeginPage page = BeginPage.Create(1);
        Assert.Equal(0ul, page.Words.Begun);
        using SafeFileHandle file = new(DescriptorCopy.Of(page.Descriptor), ownsHandle: true);
        byte[] next = [0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        RandomAccess.Write(file, Enumerable.Repeat((byte)0xff, 1).Concat(new byte[7]).Concat([(byte)0xff]).ToArray(), RingDescriptor.BegunOffset);
        for (int written = 1; written <= next.Length; written++)
        {
            RandomAccess.Write(file, next.AsSpan(0, written), RingDescriptor.BegunOffset);
            Assert.Contains(page.Words.Begun, (ulong[])[0xff, 0x100, ulong.MaxValue]);
        }

        Assert.Equal(0x100ul, page.Words.Begun);
    }

    [Fact]
    public void A_page_keeps_its_size()
    {
        using BeginPage made = BeginPage.Create(1);
        using FileStream stream = new($"/proc/self/fd/{made.Descriptor}", FileMode.Open, FileAccess.ReadWrite);
        Assert.Equal(RingDescriptor.PageSizeBytes, stream.Length);
        Assert.Throws<UnauthorizedAccessException>(() => stream.SetLength(0));
    }

    [Fact]
    public void What_is_no_page_is_refused_and_closed()
    {
        using Segment segment = Segment.Create(4096, 1, 0, shared: true);
        using BeginPage marred = BeginPage.Create(1);
        using (SafeFileHandle file = new(DescriptorCopy.Of(marred.Descriptor), ownsHandle: true))
        {
            RandomAccess.Write(file, "CBEGIN99"u8, 0);
        }

        foreach (int descriptor in (int[])[segment.Descriptor, marred.Descriptor])
        {
            int copy = DescriptorCopy.Of(descriptor);
            Assert.Throws<InvalidDataException>(() => BeginPage.Open(copy));
            Assert.False(File.Exists($"/proc/self/fd/{copy}"));
        }
    }
}
