using System.Net;
using System.Text;
using Cocaine.Fast.Core.MessagePack;

namespace Cocaine.Fast.Client;

/// <summary>The answer of a locator: <c>[[[host, port]…], version, methods]</c>, of which only the addresses are read.</summary>
internal static class LocatorReply
{
    /// <summary>Addresses of one app that are read: a client tries them one after the other, and has given up before the last.</summary>
    private const int MostAddresses = 64;

    /// <summary>The longest name of a host, of DNS.</summary>
    private const int MostHostBytes = 253;

    /// <summary>Reads the addresses; false when there are none, or the bytes are something else.</summary>
    /// <param name="arguments">The arguments array.</param>
    /// <param name="scheme">The beginning of the endpoints.</param>
    /// <param name="endpoints">The endpoints, as the client connects to them.</param>
    public static bool TryRead(ReadOnlySpan<byte> arguments, string scheme, out IReadOnlyList<string> endpoints)
    {
        List<string> found = [];
        endpoints = found;
        if (!TryArray(ref arguments, out ulong count) || count == 0 || !TryArray(ref arguments, out count) || count == 0)
        {
            return false;
        }

        for (ulong i = 0; i < Math.Min(count, MostAddresses); i++)
        {
            if (!TryArray(ref arguments, out ulong parts) || parts != 2 || !TryHost(ref arguments, out string host)
                || !TryToken(ref arguments, MsgPackKind.Unsigned, out ulong port) || port is 0 or > ushort.MaxValue)
            {
                return false;
            }

            found.Add(host.Contains(':', StringComparison.Ordinal) ? $"{scheme}[{host}]:{port}" : $"{scheme}{host}:{port}");
        }

        return true;
    }

    private static bool TryHost(ref ReadOnlySpan<byte> bytes, out string host)
    {
        host = "";
        if (MsgPackToken.TryRead(bytes, out MsgPackToken token) != MsgPackStatus.Ok || !token.IsBytes || token.Bits is 0 or > MostHostBytes
            || (ulong)(bytes.Length - token.HeadBytes) < token.Bits)
        {
            return false;
        }

        host = Encoding.UTF8.GetString(bytes.Slice(token.HeadBytes, (int)token.Bits));
        bytes = bytes[(token.HeadBytes + (int)token.Bits)..];
        return IPAddress.TryParse(host, out _) || Uri.CheckHostName(host) == UriHostNameType.Dns;
    }

    private static bool TryArray(ref ReadOnlySpan<byte> bytes, out ulong count) => TryToken(ref bytes, MsgPackKind.Array, out count);

    private static bool TryToken(ref ReadOnlySpan<byte> bytes, MsgPackKind kind, out ulong value)
    {
        bool isRead = MsgPackToken.TryRead(bytes, out MsgPackToken token) == MsgPackStatus.Ok && token.Kind == kind;
        value = token.Bits;
        bytes = isRead ? bytes[token.HeadBytes..] : bytes;
        return isRead;
    }
}
