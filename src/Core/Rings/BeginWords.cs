using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Rings;

/// <summary>
/// The words by which the worker tells what it has begun, and the node takes jobs back: in the slave's segment, or in a page beside the
/// worker's socket. docs/worker-protocol.md has their rules.
/// </summary>
/// <remarks>
/// Safety: the memory must live as long as this is used. All words are aligned, and each has one writer.
/// The worker stores <c>begun</c>, fences, and loads <c>recall</c>. The node stores <c>recall</c>, fences, and loads <c>begun</c>. Both
/// fences are full, so at least one side sees the other's store: either the node sees that the job is begun, and leaves it; or the worker
/// sees the recall, and reads on before it begins anything.
/// <para>
/// A worker beside a page stores by pwrite and loads by pread. On x86-64, the only machine where workers do so, the kernel gives the file's
/// lock back after the copy, by a locked instruction, which is the full fence between the copy and all later loads of the thread. But the
/// copy may go byte by byte: so <c>begun</c> is there twice, and is no number while the two differ. For <c>recall</c> the proof holds byte
/// by byte: when the worker reads one as it was before, the node sees the worker's store.
/// </para>
/// </remarks>
/// <param name="memory">The segment, or the page.</param>
/// <param name="isTwice">The worker writes <c>begun</c> twice, the first one first.</param>
internal readonly unsafe struct BeginWords(byte* memory, bool isTwice = false)
{
    /// <summary>
    /// Looks at a <c>begun</c> that is being written: a copy of 16 bytes is over sooner, unless the worker lost its CPU in it. Such a
    /// worker may have begun anything.
    /// </summary>
    private const int MostLooks = 100;

    /// <summary>The worker keeps the words: it has stored <c>begun</c> before its first message.</summary>
    public bool AreKept => Begun != 0;

    /// <summary>The highest channel that the worker has begun, or begins if nothing is recalled; 0 before its first message.</summary>
    public ulong Begun => isTwice ? BegunTwice() : Volatile.Read(ref *(ulong*)(memory + RingDescriptor.BegunOffset));

    /// <summary>The number of recalls that the node has begun, in 31 bits.</summary>
    public int Recalls => Volatile.Read(ref *(int*)(memory + RingDescriptor.RecallOffset));

    /// <summary>Most jobs that the worker may have begun and not ended.</summary>
    public int MostBegun => *(int*)(memory + RingDescriptor.MostBegunOffset);

    /// <summary>The node begins a recall: see <see cref="Slaves.SlaveLink.BeginRecall"/>.</summary>
    public int BeginRecall(out ulong begun)
    {
        int count = (Recalls + 1) & int.MaxValue;
        Volatile.Write(ref *(int*)(memory + RingDescriptor.RecallOffset), count);
        Interlocked.MemoryBarrier(); // the other half: TryBegin, or a worker's pwrite
        begun = Begun;
        return count;
    }

    /// <summary>The worker keeps the words from here on; called before its first message.</summary>
    public void Keep() => Store(MessageWriter.ControlChannel);

    /// <summary>The worker is about to begin the job of a channel.</summary>
    /// <param name="channel">The channel.</param>
    /// <param name="recalls">The recalls that it has read.</param>
    /// <returns>False when it must read on first: the node takes jobs back, and this may be one of them.</returns>
    public bool TryBegin(ulong channel, int recalls)
    {
        if (channel > *(ulong*)(memory + RingDescriptor.BegunOffset))
        {
            Store(channel);
        }

        Interlocked.MemoryBarrier(); // the other half: BeginRecall
        return Recalls == recalls;
    }

    private void Store(ulong channel)
    {
        Volatile.Write(ref *(ulong*)(memory + RingDescriptor.BegunOffset), channel);
        if (isTwice)
        {
            Volatile.Write(ref *(ulong*)(memory + RingDescriptor.BegunAgainOffset), channel); // after the first; the other half: BegunTwice
        }
    }

    private ulong BegunTwice()
    {
        for (int look = 0; look < MostLooks; look++)
        {
            // The second one first, because it is written last: when it is new, the first one is.
            ulong again = Volatile.Read(ref *(ulong*)(memory + RingDescriptor.BegunAgainOffset));
            if (Volatile.Read(ref *(ulong*)(memory + RingDescriptor.BegunOffset)) == again)
            {
                return again;
            }
        }

        return ulong.MaxValue;
    }
}
