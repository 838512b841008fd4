using System.Buffers;
using Cocaine.Fast.Core.Memory;

namespace Cocaine.Fast.Core.Tests.Rings;

/// <summary>Received memory of the test's own, which says whether somebody uses it.</summary>
internal sealed class TestSegment : SharedSegment
{
    private readonly int _sizeBytes;

    private TestSegment(ReadOnlyMemory<byte> memory, TestSegment? before, int sizeBytes)
    {
        _sizeBytes = sizeBytes;
        Memory = memory;
        RunningIndex = before is null ? 0 : before.RunningIndex + before.Memory.Length;
        if (before is not null)
        {
            before.Next = this;
        }

        Keep(); // the receiver
    }

    /// <summary>Users beside the receiver.</summary>
    public bool IsKept => HasOtherUsers;

    protected override int SizeBytes => _sizeBytes;

    /// <summary>Cuts bytes into segments of these lengths and one for the rest.</summary>
    public static TestSegment[] Cut(byte[] bytes, int[] lengths, int wasteFactor = 1)
    {
        List<TestSegment> segments = [];
        int at = 0;
        foreach (int length in lengths.Append(bytes.Length))
        {
            int taken = Math.Min(length, bytes.Length - at);
            if (taken > 0)
            {
                segments.Add(new TestSegment(bytes.AsMemory(at, taken), segments.LastOrDefault(), taken * wasteFactor));
                at += taken;
            }
        }

        return [.. segments];
    }

    public static ReadOnlySequence<byte> Join(TestSegment[] segments) =>
        segments.Length == 0 ? default : new ReadOnlySequence<byte>(segments[0], 0, segments[^1], segments[^1].Memory.Length);

    protected override void OnFree() => throw new InvalidOperationException("the receiver uses it");
}
