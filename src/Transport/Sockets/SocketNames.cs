using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>Names of sockets for logs.</summary>
/// <remarks>Safety: the address block is on the stack, as large as any sockaddr.</remarks>
internal static unsafe class SocketNames
{
    private const int MaxAddressBytes = 128, InterNetwork = 2, InterNetworkV6 = 10;

    /// <summary>The address of this host that a peer reached; loopback for a Unix socket.</summary>
    public static IPAddress Local(int descriptor) => LocalTcp(descriptor) ?? IPAddress.Loopback;

    /// <summary>The address of this host that a peer reached over TCP; null for a Unix socket, and for a closed one.</summary>
    public static IPAddress? LocalTcp(int descriptor)
    {
        byte* address = stackalloc byte[MaxAddressBytes];
        uint length = MaxAddressBytes;
        if (descriptor < 0 || LibC.getsockname(descriptor, address, &length) != 0)
        {
            return null;
        }

        return Address(address);
    }

    /// <summary>The peer's address; null for a Unix socket or a peer that is gone.</summary>
    public static IPAddress? Remote(int descriptor)
    {
        byte* address = stackalloc byte[MaxAddressBytes];
        uint length = MaxAddressBytes;
        return descriptor < 0 || LibC.getpeername(descriptor, address, &length) != 0 ? null : Address(address);
    }

    /// <summary>
    /// The network that counts as one peer: the peer's address; of IPv6 the first 64 bits, because a host has as many addresses below them
    /// as it likes. Null for a Unix socket.
    /// </summary>
    public static IPAddress? Network(int descriptor)
    {
        IPAddress? address = Remote(descriptor);
        if (address is not { AddressFamily: AddressFamily.InterNetworkV6 } || IPAddress.IsLoopback(address))
        {
            return address;
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }

    /// <summary>The peer's address and port, or "a local peer" for a Unix socket, or "a gone peer".</summary>
    public static string Peer(int descriptor)
    {
        byte* address = stackalloc byte[MaxAddressBytes];
        uint length = MaxAddressBytes;
        if (descriptor < 0 || LibC.getpeername(descriptor, address, &length) != 0)
        {
            return "a gone peer";
        }

        int port = BinaryPrimitives.ReadUInt16BigEndian(new ReadOnlySpan<byte>(address + 2, 2));
        return *(ushort*)address switch
        {
            InterNetwork => new IPEndPoint(new IPAddress(new ReadOnlySpan<byte>(address + 4, 4)), port).ToString(),
            InterNetworkV6 => new IPEndPoint(new IPAddress(new ReadOnlySpan<byte>(address + 8, 16)), port).ToString(),
            _ => "a local peer",
        };
    }

    private static IPAddress? Address(byte* address)
    {
        IPAddress? ip = *(ushort*)address switch
        {
            InterNetwork => new IPAddress(new ReadOnlySpan<byte>(address + 4, 4)),
            InterNetworkV6 => new IPAddress(new ReadOnlySpan<byte>(address + 8, 16)),
            _ => null,
        };
        return ip is { IsIPv4MappedToIPv6: true } ? ip.MapToIPv4() : ip;
    }
}
