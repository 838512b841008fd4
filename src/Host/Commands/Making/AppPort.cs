using System.Net;
using System.Net.Sockets;

namespace Cocaine.Fast.Host.Commands.Making;

/// <summary>
/// The port of a new app: by its name, so that two apps have two ports and one has the same on each machine, unless it is taken here now.
/// </summary>
internal static class AppPort
{
    /// <summary>Below the ports that Linux gives to outgoing connections (32768 and up), above those that services are known by.</summary>
    private const int First = 20_000, Count = 10_000;

    /// <summary>Ports that are tried when those before are taken: so many in a row never are.</summary>
    private const int MaxTries = 100;

    /// <summary>A port for an app of that name.</summary>
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

    /// <summary>FNV-1a: the same in every process, as a string's own hash is not.</summary>
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
