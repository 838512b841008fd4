namespace Cocaine.Fast.Transport.Tls;

/// <summary>The state of a connection before its session is there.</summary>
internal enum HandshakeState
{
    /// <summary>The peer's next bytes are awaited.</summary>
    Receiving,

    /// <summary>Bytes wait for a worker, or for the address to be allowed one more handshake.</summary>
    Waiting,

    /// <summary>A worker has the session.</summary>
    Away,

    /// <summary>The socket has not taken all of an answer.</summary>
    Sending,

    /// <summary>The handshake is done, or has failed: descriptor and session are gone from here.</summary>
    Ended,
}
