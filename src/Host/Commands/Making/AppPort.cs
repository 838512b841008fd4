using System.Net;
using System.Net.Sockets;

namespace Cocaine.Fast.Host.Commands.Making;

/// <summary>
/// The port of a new app. It follows from the app's name, so that two apps have two ports and an app has the same port on each machine,
/// unless the port is taken here now.
/// </summary>
internal static class AppPort
{
    /// <summary>Below the ports that Linux gives to outgoing connections (32768 and up), above the well-known ports of services.</summary>
    private const int First = 20_000, Count = 10_000;

    /// <summary>The most ports that are tried: so many taken ones in a row do not occur.</summary>
    private const int MaxTries = 100;

    /// <summary>A port for an app with that name.</summary>
    public static int For(string name)
    {
        int offset = (int)(HashOf(name) % Count);
        for (int i = 0; i < MaxTries; i++)
        {
            int port = First + ((offset + i) % Count);
            if (IsFree(port))
            {
                return port;
            }
        }

        return First + offset;
    }

    /// <summary>FNV-1a: the same in every process, unlike a string's own hash.</summary>
    private static uint HashOf(string name)
    {
        uint hash = 2166136261;
        foreach (char letter in name)
        {
            hash = (hash ^ letter) * 16777619;
        }

        return hash;
    }

    private static bool IsFree(int port)
    {
        try
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
