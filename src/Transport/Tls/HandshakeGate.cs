using System.Net;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>
/// Bounds the handshakes of a node: how many are under way, in all and of one address, and how many an address may start in a second. A
/// handshake costs the node far more than its peer. Any thread; used once or twice for each connection.
/// </summary>
internal sealed class HandshakeGate
{
    /// <summary>Handshakes under way: some 45 KiB each, so 46 MiB in all.</summary>
    public const int MaxOpen = 1024;

    /// <summary>Handshakes under way of one address: more than a client starts at once, and a small part of all.</summary>
    public const int MaxOpenOfOne = 32;

    /// <summary>Handshakes that an address may start in a second: with RSA of 3,072 bits they cost 8 % of a core.</summary>
    private const int StartsPerS = 50;

    /// <summary>Handshakes that an address may start at once, such as a client with many connections that comes back.</summary>
    private const int Burst = 100;

    /// <summary>Addresses from which on those that are long idle are forgotten.</summary>
    private const int UsualAddresses = 4096;

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, Address> _addresses = [];
    private int _open;

    /// <summary>Handshakes under way.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>A connection may begin its handshake; <see cref="Leave"/> must follow. False when there are too many.</summary>
    public bool TryEnter(IPAddress from, long nowMs)
    {
        lock (_lock)
        {
            if (_addresses.Count >= UsualAddresses)
            {
                Forget(nowMs);
            }

            if (!_addresses.TryGetValue(from, out Address? address))
            {
                address = new Address { Tokens = Burst, CountedMs = nowMs };
                _addresses.Add(from, address);
            }

            if (_open >= MaxOpen || address.Open >= MaxOpenOfOne)
            {
                return false;
            }

            _open++;
            address.Open++;
            return true;
        }
    }

    /// <summary>The first bytes of a handshake are here: it may start now. False when the address has started too many lately.</summary>
    public bool TryStart(IPAddress from, long nowMs)
    {
        lock (_lock)
        {
            Address address = _addresses[from];
            address.Fill(nowMs);
            if (address.Tokens < 1)
            {
                return false;
            }

            address.Tokens--;
            return true;
        }
    }

    /// <summary>The handshake has ended.</summary>
    public void Leave(IPAddress from)
    {
        lock (_lock)
        {
            _open--;
            _addresses[from].Open--;
        }
    }

    private void Forget(long nowMs)
    {
        foreach ((IPAddress key, Address address) in _addresses)
        {
            address.Fill(nowMs);
            if (address.Open == 0 && address.Tokens >= Burst)
            {
                _addresses.Remove(key);
            }
        }
    }

    /// <summary>A token bucket and a count.</summary>
    private sealed class Address
    {
        public int Open;
        public double Tokens;
        public long CountedMs;

        /// <summary>Loops see the time of their turn, so a later call may have an earlier time: each moment fills once.</summary>
        public void Fill(long nowMs)
        {
            if (nowMs > CountedMs)
            {
                Tokens = Math.Min(Burst, Tokens + ((nowMs - CountedMs) * StartsPerS / 1000.0));
                CountedMs = nowMs;
            }
        }
    }
}
