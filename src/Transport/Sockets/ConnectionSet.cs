using System.Collections;
using System.Net;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>The connections of a door on one loop.</summary>
/// <typeparam name="T">The type of a connection.</typeparam>
/// <param name="counts">Counts the connections of the door on all loops.</param>
internal sealed class ConnectionSet<T>(ConnectionCounts counts) : IReadOnlyCollection<T>
    where T : SocketConnection
{
    private readonly Dictionary<T, IPAddress?> _addresses = [];

    public int Count => _addresses.Count;

    /// <summary>The connections of the door on all loops.</summary>
    public ConnectionCounts Counts => counts;

    /// <summary>Adds a connection of an address as <see cref="SocketNames.Network"/> gives it.</summary>
    public void Add(T connection, IPAddress? address)
    {
        _addresses.Add(connection, address);
        counts.Add(address);
    }

    /// <summary>Takes a connection out, which may not be in.</summary>
    public void Remove(T connection)
    {
        if (_addresses.Remove(connection, out IPAddress? address))
        {
            counts.Remove(address);
        }
    }

    /// <summary>Moves all connections to another set; each is told to <paramref name="moved"/> before.</summary>
    public void MoveTo(ConnectionSet<T> other, Action<T> moved)
    {
        foreach ((T connection, IPAddress? address) in _addresses)
        {
            moved(connection);
            other.Add(connection, address);
            counts.Remove(address);
        }

        _addresses.Clear();
    }

    public IEnumerator<T> GetEnumerator() => _addresses.Keys.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
