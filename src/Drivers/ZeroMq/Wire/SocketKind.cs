using System.Text;

namespace Cocaine.Fast.Drivers.ZeroMq.Wire;

/// <summary>The types of ZeroMQ sockets, with the numbers that ZMTP 2.0 gives them (rfc.zeromq.org/spec/15).</summary>
internal enum SocketKind : byte
{
    Pair,
    Pub,
    Sub,
    Req,
    Rep,
    Dealer,
    Router,
    Pull,
    Push,
    XPub,
    XSub,
}

/// <summary>Names of socket types, and the types that may talk to each other.</summary>
internal static class SocketKinds
{
    private static readonly string[] Names =
        ["PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB"];

    private static readonly byte[][] NameBytes = [.. Names.Select(Encoding.ASCII.GetBytes)];

    /// <summary>The name as READY gives it.</summary>
    public static ReadOnlySpan<byte> NameOf(SocketKind kind) => NameBytes[(int)kind];

    /// <summary>The name for people.</summary>
    public static string Text(SocketKind kind) => Names[(int)kind];

    /// <summary>Reads the number of ZMTP 2.0.</summary>
    public static bool TryRead(byte number, out SocketKind kind)
    {
        kind = (SocketKind)number;
        return number < Names.Length;
    }

    /// <summary>Reads the name of ZMTP 3.</summary>
    public static bool TryRead(ReadOnlySpan<byte> name, out SocketKind kind)
    {
        for (int i = 0; i < NameBytes.Length; i++)
        {
            if (name.SequenceEqual(NameBytes[i]))
            {
                kind = (SocketKind)i;
                return true;
            }
        }

        kind = default;
        return false;
    }

    /// <summary>A socket of the first type talks to one of the second (rfc.zeromq.org/spec/23, "Socket-Type").</summary>
    public static bool Fit(SocketKind own, SocketKind peer) => own switch
    {
        SocketKind.Router => peer is SocketKind.Req or SocketKind.Dealer or SocketKind.Router,
        SocketKind.Pull => peer is SocketKind.Push,
        SocketKind.Pub => peer is SocketKind.Sub or SocketKind.XSub,
        SocketKind.Sub => peer is SocketKind.Pub or SocketKind.XPub,
        _ => false, // the node has no others
    };
}
