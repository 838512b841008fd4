namespace Cocaine.Fast.Core.Rings;

/// <summary>
/// The words of a slave's segment by which the worker tells what it has begun, and the node takes jobs back. docs/worker-protocol.md has
/// their rules.
/// </summary>
/// <remarks>
/// Safety: the segment must live as long as this is used. All words are aligned, and each has one writer.
/// The worker stores <c>begun</c>, fences, and loads <c>recall</c>. The node stores <c>recall</c>, fences, and loads <c>begun</c>. Both
/// fences are full, so at least one side sees the other's store: either the node sees that the job is begun, and leaves it; or the worker
/// sees the recall, and reads on before it begins anything.
/// </remarks>
internal readonly unsafe struct BeginWords(byte* segment)
{
    /// <summary>The worker keeps the words: it has stored <c>begun</c> before its first message.</summary>
    public bool AreKept => Begun != 0;

    /// <summary>The highest channel that the worker has begun, or begins if nothing is recalled; 0 before its first message.</summary>
    public ulong Begun => Volatile.Read(ref *(ulong*)(segment + RingDescriptor.BegunOffset));

    /// <summary>The number of recalls that the node has begun, in 31 bits.</summary>
    public int Recalls => Volatile.Read(ref *(int*)(segment + RingDescriptor.RecallOffset));

    /// <summary>Most jobs that the worker may have begun and not ended.</summary>
    public int MostBegun => *(int*)(segment + RingDescriptor.MostBegunOffset);

    /// <summary>The node begins a recall: see <see cref="Slaves.SlaveLink.BeginRecall"/>.</summary>
    public int BeginRecall(out ulong begun)
    {
        int count = (Recalls + 1) & int.MaxValue;
        Volatile.Write(ref *(int*)(segment + RingDescriptor.RecallOffset), count);
        Interlocked.MemoryBarrier(); // the other half: TryBegin
        begun = Begun;
        return count;
    }

    /// <summary>The worker keeps the words from here on; called before its first message.</summary>
    public void Keep() => Volatile.Write(ref *(ulong*)(segment + RingDescriptor.BegunOffset), Protocol.MessageWriter.ControlChannel);

    /// <summary>The worker is about to begin the job of a channel.</summary>
    /// <param name="channel">The channel.</param>
    /// <param name="recalls">The recalls that it has read.</param>
    /// <returns>False when it must read on first: the node takes jobs back, and this may be one of them.</returns>
    public bool TryBegin(ulong channel, int recalls)
    {
        ref ulong begun = ref *(ulong*)(segment + RingDescriptor.BegunOffset);
        if (channel > begun)
        {
            Volatile.Write(ref begun, channel);
        }

        Interlocked.MemoryBarrier(); // the other half: BeginRecall
        return Recalls == recalls;
    }
}
