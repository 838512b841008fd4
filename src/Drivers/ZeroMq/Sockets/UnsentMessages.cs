namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>The most bytes that wait for the peers of one socket.</summary>
internal sealed class UnsentBytes
{
    /// <summary>Four of the largest messages: peers that do not read cannot take the node's memory, however many they are.</summary>
    public const long MaxBytes = 256L << 20;

    /// <summary>
    /// A peer with fewer unsent bytes has room all the same: it reads, and must not feel those that do not. As many as a socket buffers.
    /// </summary>
    public const long FairBytes = 64 << 10;

    /// <summary>The bytes as of the last write to each peer, or of the last time when the peer had read all.</summary>
    public long Bytes { get; set; }
}

/// <summary>The messages that a peer's connection has written and not sent: their number is bounded by the high-water mark.</summary>
/// <param name="all">Bounds the bytes of all peers.</param>
/// <param name="highWaterMark">The most messages that wait.</param>
internal sealed class UnsentMessages(UnsentBytes all, int highWaterMark)
{
    /// <summary>A message of the largest size may follow: nobody waits for more bytes with patience.</summary>
    private const long MaxBytes = 64L << 20;

    private readonly Queue<long> _ends = new(); // the connection's count of bytes at the end of each unsent message
    private long _bytes;                        // this connection's share of all bytes

    /// <summary>There is room for a message.</summary>
    /// <param name="pending">Bytes that are not sent.</param>
    /// <param name="sent">Bytes that were sent since the start.</param>
    public bool HasRoom(long pending, long sent)
    {
        if (_ends.Count >= highWaterMark)
        {
            Trim(sent);
        }

        if (all.Bytes > UnsentBytes.MaxBytes)
        {
            Count(pending);
        }

        return _ends.Count < highWaterMark && pending <= MaxBytes
            && (pending <= UnsentBytes.FairBytes || all.Bytes <= UnsentBytes.MaxBytes);
    }

    /// <summary>A message was written.</summary>
    public void Add(long pending, long sent)
    {
        _ends.Enqueue(pending + sent);
        Count(pending);
    }

    /// <summary>Some bytes were sent, or all.</summary>
    public void OnSent(long pending, long sent)
    {
        Count(pending);
        if (pending == 0)
        {
            _ends.Clear();
        }
        else
        {
            Trim(sent);
        }
    }

    private void Trim(long sent)
    {
        while (_ends.TryPeek(out long end) && end <= sent)
        {
            _ends.Dequeue();
        }
    }

    private void Count(long pending)
    {
        all.Bytes += pending - _bytes;
        _bytes = pending;
    }
}
