using System.Buffers.Binary;

namespace Cocaine.Fast.Transport.Linux;

/// <summary>Facts of the kernel about a TCP connection, tcp(7), TCP_INFO.</summary>
/// <remarks>Safety: getsockopt gets the address and the length of a local, and keeps neither.</remarks>
internal static unsafe class TcpInfo
{
    private const int TcpLevel = 6, Info = 11;

    /// <summary>The place of tcpi_min_rtt in the structure, which only grows at its end.</summary>
    private const int MinRttOffset = 148;

    private const int SizeBytes = 256;

    /// <summary>The shortest way to the peer and back of the last minutes, ns; null where the kernel does not tell it.</summary>
    public static long? MinRttNs(int descriptor)
    {
        Span<byte> info = stackalloc byte[SizeBytes];
        uint length = SizeBytes;
        fixed (byte* at = info)
        {
            if (LibC.getsockopt(descriptor, TcpLevel, Info, at, &length) != 0 || length < MinRttOffset + sizeof(uint))
            {
                return null;
            }
        }

        uint us = BinaryPrimitives.ReadUInt32LittleEndian(info[MinRttOffset..]);
        return us is 0 or uint.MaxValue ? null : us * 1000L;
    }
}
