namespace Cocaine.Fast.Transport.Tls;

/// <summary>
/// Certificates and settings that sessions are made from, for one role. A context never changes: a reload makes another one. The handle
/// goes back with its last user, so sessions that outlive a reload keep what they were made from.
/// </summary>
/// <remarks>Safety: users are counted, and the handle is freed once, by the last of them.</remarks>
internal sealed class TlsContext : IDisposable
{
    private readonly nint _handle;
    private readonly TlsNames? _names; // contexts by name; null for a client, and without names
    private int _users = 1;            // the owner and each session; the handle is gone at 0
    private int _disposed;             // 1 once the owner is done

    private TlsContext(nint handle, bool isServer, TlsNames? names)
    {
        _handle = handle;
        _names = names;
        IsServer = isServer;
    }

    /// <summary>The sessions take calls; otherwise they make them.</summary>
    public bool IsServer { get; }

    /// <summary>Reads the files of a server's settings and checks that they fit.</summary>
    /// <exception cref="TlsException">A file cannot be used; or there is no libssl.</exception>
    public static TlsContext ForServer(TlsServerSettings settings)
    {
        TlsLibrary.Require();
        nint handle = 0;
        TlsNames? names = null;
        try
        {
            handle = ContextMaker.MakeServer(settings.Identity, settings);
            if (settings.Names.Count > 0)
            {
                names = new TlsNames();
                foreach ((string name, TlsIdentity identity) in settings.Names)
                {
                    names.Add(name, ContextMaker.MakeServer(identity, settings));
                }

                names.Attach(handle);
            }

            return new TlsContext(handle, isServer: true, names);
        }
        catch
        {
            names?.Dispose();
            ContextMaker.Free(handle);
            throw;
        }
    }

    /// <summary>Reads the files of a client's settings and checks that they fit.</summary>
    /// <exception cref="TlsException">A file cannot be used; or there is no libssl.</exception>
    public static TlsContext ForClient(TlsClientSettings settings)
    {
        TlsLibrary.Require();
        return new TlsContext(ContextMaker.MakeClient(settings), isServer: false, names: null);
    }

    /// <summary>Makes the session of an accepted connection; null when the context was disposed of.</summary>
    /// <exception cref="TlsException">There is no memory.</exception>
    public TlsSession? TryAccept() => TryUse() ? New(serverName: null) : null;

    /// <summary>Verifies the certificate of a client as a handshake would. False when the context was disposed of.</summary>
    /// <param name="peer">The client.</param>
    /// <param name="problem">The reason for which it is refused; null when it is not.</param>
    public bool TryVerify(TlsPeer peer, out string? problem)
    {
        problem = null;
        if (!TryUse())
        {
            return false;
        }

        problem = ClientTrust.ProblemOf(_handle, peer.Chain);
        Release();
        return true;
    }

    /// <summary>Makes the session of a connection to a server.</summary>
    /// <param name="serverName">The name or address that the server's certificate must have.</param>
    /// <exception cref="TlsException">There is no memory, or this is no name.</exception>
    public TlsSession Connect(string serverName)
    {
        ArgumentException.ThrowIfNullOrEmpty(serverName);
        ObjectDisposedException.ThrowIf(!TryUse(), this);
        return New(serverName);
    }

    /// <summary>
    /// Makes the session of a connection to a server that may have any name: a proof that covers <see cref="TlsSession.Binding"/> must
    /// follow. Null when the context was disposed of.
    /// </summary>
    /// <exception cref="TlsException">There is no memory.</exception>
    public TlsSession? TryConnect() => TryUse() ? New(serverName: "") : null;

    /// <summary>The owner makes no more sessions.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            Release();
        }
    }

    /// <summary>A session is gone, or the owner.</summary>
    private void Release()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            ContextMaker.Free(_handle);
            _names?.Dispose(); // after the context, which has its address
        }
    }

    private TlsSession New(string? serverName)
    {
        try
        {
            return new TlsSession(_handle, serverName, Release);
        }
        catch
        {
            Release();
            throw;
        }
    }

    private bool TryUse()
    {
        for (int users = Volatile.Read(ref _users); users > 0 && Volatile.Read(ref _disposed) == 0; users = Volatile.Read(ref _users))
        {
            if (Interlocked.CompareExchange(ref _users, users + 1, users) == users)
            {
                return true;
            }
        }

        return false;
    }
}
