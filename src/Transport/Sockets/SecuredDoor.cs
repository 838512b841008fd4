using System.Net;
using System.Numerics;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>
/// The TLS of a door on one loop: accepted sockets wait here until their sessions are there. All members but
/// <see cref="DropRefused"/> are for the loop's thread.
/// </summary>
/// <param name="loop">The loop of the door's connections.</param>
/// <param name="doors">The node's TLS.</param>
/// <param name="tls">The door's TLS.</param>
/// <param name="name">The door, for the audit.</param>
/// <param name="secured">Gets each connection.</param>
/// <param name="dropRefused">Closes the connections of clients that are refused by now.</param>
internal sealed class SecuredDoor(
    EventLoop loop, TlsDoors doors, DoorTls tls, string name, Action<SecuredPeer> secured, Action dropRefused) : ISecuredDoor, IRevocable
{
    private readonly HashSet<TlsHandshake> _underWay = [];
    private bool _isClosed; // what fails from now on is the door's doing, and no peer's

    /// <summary>Handshakes under way.</summary>
    public int UnderWay => _underWay.Count;

    /// <summary>The door is told of other files from now on.</summary>
    public void Open() => doors.Add(this);

    /// <summary>Begins the handshake of an accepted TCP socket.</summary>
    public void Accept(int descriptor)
    {
        IPAddress from = SocketNames.Network(descriptor) ?? IPAddress.None;
        string peer = SocketNames.Peer(descriptor);
        if (TlsHandshake.TryBegin(loop, doors, tls, descriptor, from, this) is { } handshake)
        {
            _underWay.Add(handshake);
        }
        else
        {
            Tell(peer, $"more than {HandshakeGate.MaxOpenOfOne} of its address, or {HandshakeGate.MaxOpen} in all, are under way",
                doors.OnFailed());
        }
    }

    /// <summary>The door closes: handshakes under way are given up.</summary>
    public void Close()
    {
        doors.Remove(this);
        _isClosed = true;
        foreach (TlsHandshake handshake in _underWay.ToArray())
        {
            handshake.Close("the door has closed");
        }
    }

    /// <summary>Another door goes on with the handshakes under way.</summary>
    public void MoveTo(SecuredDoor other)
    {
        foreach (TlsHandshake handshake in _underWay)
        {
            handshake.Owner = other;
            other._underWay.Add(handshake);
        }

        _underWay.Clear();
    }

    /// <inheritdoc/>
    public void OnSecured(TlsHandshake handshake, SecuredPeer peer)
    {
        _underWay.Remove(handshake);
        secured(peer);
    }

    /// <inheritdoc/>
    public void OnFailed(TlsHandshake handshake, string reason, long total)
    {
        _underWay.Remove(handshake);
        if (!_isClosed)
        {
            Tell(SocketNames.Peer(handshake.Descriptor), reason, total);
        }
    }

    /// <inheritdoc/>
    public void DropRefused() => loop.Post(dropRefused);

    /// <summary>The files of now refuse the client of a connection, which is closed after this.</summary>
    public void TellRefused(SocketConnection connection)
    {
        TlsPeer peer = connection.Certified!;
        AuditEntry entry = Entry(connection.PeerName, "certificate", "connect", peer.Refusal!) with { Serial = peer.Certificate.SerialHex };
        doors.Audit.Close(in entry);
    }

    /// <summary>The audit has a line for each kind of failure, and the log one now and then: a flood fills neither.</summary>
    private void Tell(string peer, string reason, long total)
    {
        AuditEntry entry = Entry(peer, AuditEntry.NoMeans, "handshake", reason);
        doors.Audit.Deny(in entry);
        if (BitOperations.IsPow2(total))
        {
            TlsLog.Failed(doors.Log, name, peer, PlainText.OneLine(reason), total);
        }
    }

    private AuditEntry Entry(string peer, string means, string action, string reason) =>
        new(RightsRule.Anyone, means, peer, name, action, AuditEntry.Reason(reason));
}

internal static partial class TlsLog
{
    [LoggerMessage(545, LogLevel.Warning, "{Door}: the TLS handshake of {Peer} failed: {Reason} ({Total} of the node failed so far)")]
    public static partial void Failed(ILogger log, string door, string peer, string reason, long total);
}
