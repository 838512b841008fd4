using System.Net;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>
/// How many connections a door has, and how many of them each address of a peer has. The loops of an app share the counts of a door, so
/// its bounds hold for all of them. Any thread; used when a connection begins and ends.
/// </summary>
internal sealed class ConnectionCounts
{
    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, int> _byAddress = [];
    private int _all;

    /// <summary>All connections.</summary>
    public int All
    {
        get
        {
            lock (_lock)
            {
                return _all;
            }
        }
    }

    /// <summary>The connections of this address; 0 for Unix sockets, which have none.</summary>
    public int Of(IPAddress? address)
    {
        lock (_lock)
        {
            return address is null ? 0 : _byAddress.GetValueOrDefault(address);
        }
    }

    public void Add(IPAddress? address)
    {
        lock (_lock)
        {
            _all++;
            if (address is not null)
            {
                _byAddress[address] = _byAddress.GetValueOrDefault(address) + 1;
            }
        }
    }

    public void Remove(IPAddress? address)
    {
        lock (_lock)
        {
            _all--;
            if (address is null)
            {
                return;
            }

            int left = _byAddress[address] - 1;
            if (left > 0)
            {
                _byAddress[address] = left;
            }
            else
            {
                _byAddress.Remove(address);
            }
        }
    }
}
