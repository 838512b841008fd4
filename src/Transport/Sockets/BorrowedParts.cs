using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>Parts of a connection's output that lie in lent memory, between the bytes of its pipe.</summary>
/// <remarks>
/// Safety: the parts are memory that <see cref="Loop.Lending"/> lends, and are cleared before the loan ends; the pipe's blocks are pinned.
/// So the addresses hold until then.
/// </remarks>
internal sealed unsafe class BorrowedParts
{
    /// <summary>The most parts at a time: more of the shortest long answers than a socket takes at once.</summary>
    private const int MostParts = 24;

    private readonly Part[] _parts = new Part[MostParts];
    private int _count;

    /// <summary>Bytes of all parts.</summary>
    public long Bytes { get; private set; }

    public bool Any => _count > 0;

    public bool IsFull => _count == MostParts;

    /// <summary>Adds a part behind the first <paramref name="pipeBytes"/> bytes of the pipe.</summary>
    public void Add(long pipeBytes, ReadOnlySpan<byte> bytes)
    {
        _parts[_count++] = new Part
        {
            At = pipeBytes,
            Start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes)),
            Length = bytes.Length,
        };
        Bytes += bytes.Length;
    }

    public void Clear()
    {
        _count = 0;
        Bytes = 0;
    }

    /// <summary>The parts and the pipe's bytes, in their order.</summary>
    /// <returns>The number of vectors.</returns>
    public int Fill(in ReadOnlySequence<byte> pipe, IoVector* vectors, int most, out long offered)
    {
        int count = 0;
        offered = 0;
        for (Walk walk = All(in pipe); count < most && walk.MoveNext();)
        {
            vectors[count].Base = Unsafe.AsPointer(ref MemoryMarshal.GetReference(walk.Current));
            vectors[count++].Length = walk.Current.Length;
            offered += walk.Current.Length;
        }

        return count;
    }

    /// <summary>Walks over the parts and the pipe's bytes, in their order.</summary>
    public Walk All(in ReadOnlySequence<byte> pipe) => new(this, in pipe);

    private struct Part
    {
        public long At;     // bytes of the pipe before it
        public byte* Start;
        public int Length;
    }

    /// <summary>One piece after the other.</summary>
    public ref struct Walk(BorrowedParts parts, in ReadOnlySequence<byte> pipe)
    {
        private readonly ReadOnlySequence<byte> _pipe = pipe;
        private long _at;   // bytes of the pipe that were walked over
        private int _next;  // the next part

        public ReadOnlySpan<byte> Current { get; private set; }

        public bool MoveNext()
        {
            long until = _next < parts._count ? parts._parts[_next].At : _pipe.Length;
            if (_at < until)
            {
                ReadOnlySpan<byte> span = _pipe.Slice(_at).FirstSpan;
                Current = span[..(int)Math.Min(span.Length, until - _at)];
                _at += Current.Length;
                return true;
            }

            if (_next == parts._count)
            {
                return false;
            }

            ref Part part = ref parts._parts[_next++];
            Current = new ReadOnlySpan<byte>(part.Start, part.Length);
            return true;
        }
    }
}
