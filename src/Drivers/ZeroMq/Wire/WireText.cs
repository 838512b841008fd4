using System.Text;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Drivers.ZeroMq.Wire;

/// <summary>Shows bytes of a peer to people.</summary>
internal static class WireText
{
    /// <summary>As many bytes say what is wrong, and a log line keeps its length.</summary>
    private const int MostBytes = 64;

    /// <summary>The bytes as escaped text.</summary>
    public static string Shown(ReadOnlySpan<byte> bytes) =>
        $"'{JsonPath.Shown(Encoding.Latin1.GetString(bytes[..Math.Min(bytes.Length, MostBytes)]))}'";
}
