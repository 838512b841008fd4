namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// The slabs of one block size that have free blocks. Slabs with lent blocks lend first, so that few slabs are in use and the others become
/// whole. Of the whole slabs the one that was used last lends first: its memory is in the processor's cache. Slabs without memory lend
/// last.
/// </summary>
/// <param name="pool">The pool, which bounds the bytes of whole slabs.</param>
/// <param name="blockBytes">The size of a block.</param>
internal sealed class SlabList(BufferPool pool, int blockBytes)
{
    private BufferSlab? _used;  // a list of the slabs with lent and free blocks
    private BufferSlab? _whole; // a stack of the slabs without lent blocks
    private BufferSlab? _empty; // a stack of those of them whose memory was given to the system

    /// <summary>A slab with a free block, for one block.</summary>
    public BufferSlab First()
    {
        BufferSlab slab = _used ?? PopWhole();
        if (slab.FreeCount == 1)
        {
            Unlink(slab);
        }

        return slab;
    }

    /// <summary>A block of the slab came back.</summary>
    public void OnReturned(BufferSlab slab)
    {
        if (slab.IsWhole)
        {
            Unlink(slab);
            slab.Next = _whole;
            _whole = slab;
            pool.OnWhole(this);
        }
        else if (slab.FreeCount == 1)
        {
            Link(slab);
        }
    }

    /// <summary>Gives the memory of one whole slab to the system. False when there is no whole slab with memory.</summary>
    /// <param name="isKept">The slab itself is kept, to lend again.</param>
    public bool TryGiveBack(bool isKept)
    {
        if (_whole is not { } slab)
        {
            return false;
        }

        _whole = slab.Next;
        slab.Next = isKept ? _empty : null;
        _empty = isKept ? slab : _empty;
        slab.GiveBack();
        return true;
    }

    private BufferSlab PopWhole()
    {
        BufferSlab slab;
        if (_whole is { } whole)
        {
            slab = whole;
            _whole = slab.Next;
            pool.OnTaken();
        }
        else if (_empty is { } empty)
        {
            slab = empty;
            _empty = slab.Next;
            pool.OnFilled();
        }
        else
        {
            slab = new BufferSlab(this, blockBytes);
            pool.OnMade(slab);
        }

        Link(slab);
        return slab;
    }

    private void Link(BufferSlab slab)
    {
        slab.Next = _used;
        slab.Previous = null;
        if (_used is { } next)
        {
            next.Previous = slab;
        }

        _used = slab;
    }

    private void Unlink(BufferSlab slab)
    {
        if (slab.Previous is { } previous)
        {
            previous.Next = slab.Next;
        }
        else
        {
            _used = slab.Next;
        }

        if (slab.Next is { } next)
        {
            next.Previous = slab.Previous;
        }

        slab.Next = slab.Previous = null;
    }
}
