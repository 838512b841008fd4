using System.Buffers;

namespace Cocaine.Fast.Core.Memory;

/// <summary>
/// A piece of received bytes with several users: the connection that reads it, and requests that keep bytes of it. Its memory is used again
/// when the last user has dropped it. Only the loop's thread counts.
/// </summary>
internal abstract class SharedSegment : ReadOnlySequenceSegment<byte>
{
    /// <summary>
    /// The most memory that a kept sequence may hold, in multiples of its bytes. A sequence in which little of each segment is used is
    /// copied instead.
    /// </summary>
    private const int MostHeldForOne = 4;

    private int _users;

    /// <summary>Bytes of the memory behind the segment.</summary>
    protected abstract int SizeBytes { get; }

    /// <summary>Somebody uses the segment beside the caller.</summary>
    protected bool HasOtherUsers => _users > 1;

    /// <summary>One more user.</summary>
    public void Keep() => _users++;

    /// <summary>One user less.</summary>
    public void Drop()
    {
        if (--_users == 0)
        {
            OnFree();
        }
        else if (_users == 1)
        {
            OnAlone();
        }
    }

    /// <summary>Keeps the segments of a sequence. False when they cannot be kept, or would hold much more memory than is used.</summary>
    public static bool TryKeep(in ReadOnlySequence<byte> sequence)
    {
        if (sequence.Start.GetObject() is not SharedSegment first)
        {
            return false;
        }

        object? last = sequence.End.GetObject();
        long held = first.SizeBytes;
        for (SharedSegment at = first; at != last; held += at.SizeBytes)
        {
            at = (SharedSegment)at.Next!;
        }

        if (held > MostHeldForOne * sequence.Length)
        {
            return false;
        }

        first.Keep();
        for (SharedSegment at = first; at != last;)
        {
            at = (SharedSegment)at.Next!;
            at.Keep();
        }

        return true;
    }

    /// <summary>Drops the segments of a sequence that was kept.</summary>
    public static void Drop(in ReadOnlySequence<byte> sequence)
    {
        object? last = sequence.End.GetObject();
        for (SharedSegment at = (SharedSegment)sequence.Start.GetObject()!; at != last;)
        {
            SharedSegment next = (SharedSegment)at.Next!; // a dropped segment may be cut off
            at.Drop();
            at = next;
        }

        ((SharedSegment)last!).Drop();
    }

    /// <summary>The last user has gone.</summary>
    protected abstract void OnFree();

    /// <summary>One user is left.</summary>
    protected virtual void OnAlone()
    {
    }
}
