using System.Runtime.InteropServices;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>Looks for libssl. Nothing here runs before TLS is asked for, so a node without TLS loads no library.</summary>
internal static class TlsLibrary
{
    private static readonly Lazy<bool> IsThere = new(
        static () => NativeLibrary.TryLoad(LibCrypto.Library, out _) && NativeLibrary.TryLoad(LibSsl.Library, out _));

    /// <summary>Loads the library.</summary>
    /// <exception cref="TlsException">The library is not on this machine; the text has the remedy.</exception>
    public static void Require()
    {
        if (!IsThere.Value)
        {
            throw new TlsException(TlsPart.Library, null, $"{LibSsl.Library} is not on this machine: apt-get install libssl3");
        }
    }
}
