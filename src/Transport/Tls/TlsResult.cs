namespace Cocaine.Fast.Transport.Tls;

/// <summary>The result of a step of a <see cref="TlsSession"/>.</summary>
internal enum TlsResult
{
    /// <summary>The step is done.</summary>
    Ok,

    /// <summary>More bytes of the peer are needed.</summary>
    NeedMore,

    /// <summary>The peer has said that its last byte was sent.</summary>
    Closed,

    /// <summary>The session is over: the peer's bytes are wrong, or its certificate is refused. An alert may be in the output.</summary>
    Failed,
}
