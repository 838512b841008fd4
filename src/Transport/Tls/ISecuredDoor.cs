namespace Cocaine.Fast.Transport.Tls;

/// <summary>The door of handshakes. All members are called on the loop's thread.</summary>
internal interface ISecuredDoor
{
    /// <summary>The session is there; the connection belongs to the door from now on.</summary>
    void OnSecured(TlsHandshake handshake, SecuredPeer peer);

    /// <summary>The handshake has failed; its socket is closed after this.</summary>
    /// <param name="handshake">The handshake.</param>
    /// <param name="reason">The reason, for the log; may have text of the peer.</param>
    /// <param name="total">Handshakes of the node that have failed so far.</param>
    void OnFailed(TlsHandshake handshake, string reason, long total);
}
