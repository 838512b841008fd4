using System.Collections;
using System.Net;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>The connections of a door, and how many of them each address of a peer has.</summary>
/// <typeparam name="T">The type of a connection.</typeparam>
internal sealed class ConnectionSet<T> : IReadOnlyCollection<T>
    where T : SocketConnection
{
    private readonly Dictionary<T, IPAddress?> _addresses = [];
    private readonly Dictionary<IPAddress, int> _counts = [];

    public int Count => _addresses.Count;

    /// <summary>The connections of this address; 0 for Unix sockets, which have none.</summary>
    public int CountOf(IPAddress? address) => address is null ? 0 : _counts.GetValueOrDefault(address);

    /// <summary>Adds a connection of an address as <see cref="SocketNames.Network"/> gives it.</summary>
    public void Add(T connection, IPAddress? address)
    {
        _addresses.Add(connection, address);
        if (address is not null)
        {
            _counts[address] = CountOf(address) + 1;
        }
    }

    /// <summary>Takes a connection out, which may not be in.</summary>
    public void Remove(T connection)
    {
        if (!_addresses.Remove(connection, out IPAddress? address) || address is null)
        {
            return;
        }

        int left = CountOf(address) - 1;
        if (left > 0)
        {
            _counts[address] = left;
        }
        else
        {
            _counts.Remove(address);
        }
    }

    /// <summary>Moves all connections to another set; each is told to <paramref name="moved"/> before.</summary>
    public void MoveTo(ConnectionSet<T> other, Action<T> moved)
    {
        foreach ((T connection, IPAddress? address) in _addresses)
        {
            moved(connection);
            other.Add(connection, address);
        }

        _addresses.Clear();
        _counts.Clear();
    }

    public IEnumerator<T> GetEnumerator() => _addresses.Keys.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
