using System.Runtime.InteropServices;

namespace Cocaine.Fast.Core.Sharing;

/// <summary>
/// What a shard tells the others about its room. The shard alone writes the word, and the others read it only while their own jobs wait
/// for too long. So the line of the word stays in the cache of the shard's core as long as no shard is overloaded.
/// </summary>
/// <remarks>
/// The word is a hint, and nothing is kept by it: a shard that has no room any more sends the job back. So its two numbers need no order
/// among themselves. The padding keeps the line, and the one that a prefetcher takes with it, free of anything else.
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = 384)]
internal sealed class ShardWord
{
    [FieldOffset(128)]
    private int _slaves;

    [FieldOffset(132)]
    private int _places;

    /// <summary>Slaves that have nothing to do.</summary>
    public int Slaves => Volatile.Read(ref _slaves); // the other half is in Tell

    /// <summary>Slaves that could be launched.</summary>
    public int Places => Volatile.Read(ref _places); // the other half is in Tell

    /// <summary>Tells the present room; on the shard's loop.</summary>
    public void Tell(int slaves, int places)
    {
        if (_slaves != slaves)
        {
            Volatile.Write(ref _slaves, slaves);
        }

        if (_places != places)
        {
            Volatile.Write(ref _places, places);
        }
    }
}
