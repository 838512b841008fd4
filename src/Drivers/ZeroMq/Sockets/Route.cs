using Cocaine.Fast.Drivers.ZeroMq.Wire;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>The way back to a peer of a ROUTER: the peer's identity, and those of the proxies in between. Lives on the loop.</summary>
internal sealed class Route(byte[][] hops)
{
    public byte[][] Hops { get; } = hops;

    /// <summary>Jobs whose answer goes this way.</summary>
    public int Pending { get; set; }

    /// <summary>
    /// Messages to this peer that were dropped. When the count has changed since an answer began, the answer may have a hole.
    /// </summary>
    public int Dropped { get; set; }
}

/// <summary>The routes of one ROUTER socket. Each route is made once and found by its bytes. Lives on the loop.</summary>
internal sealed class RouteTable
{
    /// <summary>The most proxies in a row, with the peer itself.</summary>
    public const int MaxHops = 16;

    /// <summary>Routes without a job that are kept: peers that come again cost nothing, and peers that do not cost little.</summary>
    private const int KeptRoutes = 4096;

    private const int MaxHopBytes = WireLimits.MaxIdentityBytes;

    private readonly Dictionary<byte[], Route> _routes = new(ByteComparer.Instance);
    private readonly byte[] _key = new byte[MaxHops * (MaxHopBytes + 1)];
    private int _sweepAt = KeptRoutes;

    public int Count => _routes.Count;

    /// <summary>
    /// The route of a message, and the index of the first frame after the empty one that ends it. The index is -1 when there is no empty
    /// frame: the route is then the peer itself, which can at least get an error.
    /// </summary>
    public Route Find(byte[] peer, FrameList message, out int body)
    {
        int hops = 0;
        while (hops < message.Count && hops < MaxHops && message.LengthAt(hops) is > 0 and <= MaxHopBytes)
        {
            hops++;
        }

        bool ends = hops < message.Count && hops < MaxHops && message.LengthAt(hops) == 0;
        body = ends ? hops + 1 : -1;
        return Find(peer, message.Slice(0, ends ? hops : 0));
    }

    private Route Find(byte[] peer, FrameList proxies)
    {
        int length = 0;
        Append(peer, ref length);
        for (int i = 0; i < proxies.Count; i++)
        {
            Append(proxies[i], ref length);
        }

        ReadOnlySpan<byte> key = _key.AsSpan(0, length);
        return _routes.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out Route? known) ? known
            : Add(key.ToArray(), peer, proxies);
    }

    private void Append(ReadOnlySpan<byte> hop, ref int length)
    {
        _key[length++] = (byte)hop.Length;
        hop.CopyTo(_key.AsSpan(length));
        length += hop.Length;
    }

    private Route Add(byte[] key, byte[] peer, FrameList proxies)
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

        byte[][] hops = new byte[1 + proxies.Count][];
        hops[0] = peer;
        for (int i = 1; i < hops.Length; i++)
        {
            hops[i] = proxies[i - 1].ToArray();
        }

        Route route = new(hops);
        _routes.Add(key, route);
        return route;
    }
}
