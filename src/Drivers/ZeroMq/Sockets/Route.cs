namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>The way back to a peer of a ROUTER: the peer's identity, and those of the proxies in between.</summary>
internal sealed class Route(byte[][] hops)
{
    private int _dropped;          // written by the poller, read by the loop
    private volatile bool _isGone; // the poller sets it when a send found no peer; the loop clears it when the peer is heard again

    public byte[][] Hops { get; } = hops;

    /// <summary>Jobs whose answer goes this way. Only the loop uses it.</summary>
    public int Pending { get; set; }

    /// <summary>No peer is there: answers are dropped without a try.</summary>
    public bool IsGone
    {
        get => _isGone;
        set => _isGone = value;
    }

    /// <summary>
    /// Messages to this peer that were dropped. When the count has changed since an answer began, the answer may have a hole.
    /// </summary>
    public int Dropped => Volatile.Read(ref _dropped);

    /// <summary>A message to this peer was dropped; from any thread.</summary>
    public void NoteDropped() => Interlocked.Increment(ref _dropped); // only a counter: no other data depends on it
}

/// <summary>The routes of one ROUTER socket. Each route is made once and found by its bytes. Lives on the loop.</summary>
internal sealed class RouteTable
{
    /// <summary>The most proxies in a row, with the peer itself.</summary>
    public const int MaxHops = 16;

    /// <summary>Routes without a job that are kept: peers that come again cost nothing, and peers that do not cost little.</summary>
    private const int KeptRoutes = 4096;

    /// <summary>ZeroMQ's own bound of an identity.</summary>
    private const int MaxHopBytes = 255;

    private readonly Dictionary<byte[], Route> _routes = new(ByteComparer.Instance);
    private readonly byte[] _key = new byte[MaxHops * (MaxHopBytes + 1)];
    private int _sweepAt = KeptRoutes;

    public int Count => _routes.Count;

    /// <summary>
    /// The route of a message, and the index of the first frame after the empty one that ends it. The index is -1 when there is no empty
    /// frame: the route is then the peer itself, which can at least get an error.
    /// </summary>
    public Route Find(FrameList message, out int body)
    {
        int hops = 1;
        while (hops < message.Count && hops <= MaxHops && message[hops].Length is > 0 and <= MaxHopBytes)
        {
            hops++;
        }

        bool ends = hops < message.Count && hops <= MaxHops && message[hops].IsEmpty;
        body = ends ? hops + 1 : -1;
        return Find(message.Slice(0, ends ? hops : 1));
    }

    private Route Find(FrameList hops)
    {
        int length = 0;
        for (int i = 0; i < hops.Count; i++)
        {
            ReadOnlySpan<byte> hop = hops[i];
            _key[length++] = (byte)hop.Length;
            hop.CopyTo(_key.AsSpan(length));
            length += hop.Length;
        }

        ReadOnlySpan<byte> key = _key.AsSpan(0, length);
        if (_routes.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out Route? known))
        {
            known.IsGone = false;
            return known;
        }

        return Add(key.ToArray(), hops);
    }

    private Route Add(byte[] key, FrameList hops)
    {
        if (_routes.Count >= _sweepAt)
        {
            foreach ((byte[] old, Route idle) in _routes)
            {
                if (idle.Pending == 0)
                {
                    _routes.Remove(old); // allowed during the enumeration
                }
            }

            _sweepAt = Math.Max(KeptRoutes, _routes.Count * 2);
        }

        byte[][] copy = new byte[hops.Count][];
        for (int i = 0; i < copy.Length; i++)
        {
            copy[i] = hops[i].ToArray();
        }

        Route route = new(copy);
        _routes.Add(key, route);
        return route;
    }

    /// <summary>Compares byte arrays by content, also with spans.</summary>
    private sealed class ByteComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly ByteComparer Instance = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            HashCode hash = default; // seeded for each process: peers cannot choose identities that collide
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
