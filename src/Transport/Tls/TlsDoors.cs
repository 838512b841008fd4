using Cocaine.Fast.Core.Security;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>
/// The TLS of all doors of a node: the present files, the bounds and threads of handshakes, and counts. Any thread.
/// </summary>
/// <param name="first">The files at the start; belong to this object from now on.</param>
/// <param name="handshakeTimeoutMs">The longest handshake, ms.</param>
/// <param name="log">The node's log.</param>
/// <param name="audit">Gets the handshakes that fail, and the clients that a change of the files ends.</param>
internal sealed class TlsDoors(TlsContexts first, long handshakeTimeoutMs, ILogger log, Audit audit) : IDisposable
{
    private readonly Lock _lock = new(); // guards the lists and the change of the files
    private readonly Dictionary<TlsSession, TlsPeer> _clients = []; // open sessions with a certificate
    private readonly List<IRevocable> _revocables = [];
    private volatile TlsContexts _present = first;
    private long _handshakes;
    private long _failed;
    private long _sessions;
    private long _handshakeTimeoutMs = handshakeTimeoutMs;

    /// <summary>The longest handshake, ms. A change holds for handshakes that begin afterwards.</summary>
    public long HandshakeTimeoutMs
    {
        get => Volatile.Read(ref _handshakeTimeoutMs);
        set => Volatile.Write(ref _handshakeTimeoutMs, value);
    }

    public HandshakeGate Gate { get; } = new();

    public TlsWorkers Workers { get; } = new();

    public ILogger Log => log;

    public Audit Audit => audit;

    /// <summary>The present files.</summary>
    public TlsContexts Files => _present;

    /// <summary>The node's certificates.</summary>
    public IReadOnlyList<CertificateFacts> Certificates => _present.Certificates;

    /// <summary>Handshakes that have succeeded.</summary>
    public long Handshakes => Interlocked.Read(ref _handshakes);

    /// <summary>Handshakes that have failed, or were given up.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Open sessions.</summary>
    public long Sessions => Interlocked.Read(ref _sessions);

    /// <summary>The files have what a door needs.</summary>
    public bool Offers(DoorTls door) => _present.Of(door) is not null;

    /// <summary>Makes the session of a new connection; null when the door's files are gone.</summary>
    /// <param name="door">The TLS of the door.</param>
    /// <param name="files">The files that judge the client.</param>
    public TlsSession? TryAccept(DoorTls door, out TlsContexts files)
    {
        for (files = _present; files.Of(door) is { } context; files = _present)
        {
            if (context.TryAccept() is { } session)
            {
                return session;
            }
        }

        return null;
    }

    /// <summary>Makes the session of a connection to another node of the cluster; null when the files for it are gone.</summary>
    public TlsSession? TryConnect()
    {
        for (TlsContexts files = _present; files.Member is { } context; files = _present)
        {
            if (context.TryConnect() is { } session)
            {
                return session;
            }
        }

        return null;
    }

    /// <summary>The reason for which the present files refuse a client; null when they take it.</summary>
    /// <param name="peer">The client.</param>
    /// <param name="files">The files that took it; afterwards the present ones.</param>
    public string? ProblemOf(TlsPeer peer, ref TlsContexts files)
    {
        string? problem = null;
        while (files != _present)
        {
            files = _present;
            _ = files.TryVerify(peer, out problem);
        }

        return problem;
    }

    /// <summary>
    /// New handshakes use other files from now on. Open connections stay, but for those of clients that the files refuse by now.
    /// </summary>
    public void Use(TlsContexts next)
    {
        TlsContexts before;
        IRevocable[] doors;
        TlsPeer[] clients;
        lock (_lock)
        {
            before = _present;
            _present = next;
            doors = [.. _revocables];
            clients = next.JudgesLike(before) ? [] : [.. _clients.Values]; // those that come later are judged by the new files
        }

        before.Dispose();
        foreach (TlsPeer client in clients)
        {
            client.Refusal = next.TryVerify(client, out string? problem) ? problem : null; // disposed of: the node ends
        }

        foreach (IRevocable door in doors)
        {
            door.DropRefused();
        }
    }

    /// <summary>A door is told of other files from now on.</summary>
    public void Add(IRevocable door)
    {
        lock (_lock)
        {
            _revocables.Add(door);
        }
    }

    /// <summary>The door has closed.</summary>
    public void Remove(IRevocable door)
    {
        lock (_lock)
        {
            _revocables.Remove(door);
        }
    }

    /// <summary>A handshake has succeeded.</summary>
    /// <param name="session">Its session.</param>
    /// <param name="peer">The client's certificate; null when it has none.</param>
    public void OnSecured(TlsSession session, TlsPeer? peer)
    {
        Interlocked.Increment(ref _handshakes);
        Interlocked.Increment(ref _sessions);
        session.Disposed = () => OnEnded(session, peer);
        if (peer is not null)
        {
            lock (_lock)
            {
                _clients.Add(session, peer);
            }
        }
    }

    /// <summary>A handshake has failed; the number of those so far.</summary>
    public long OnFailed() => Interlocked.Increment(ref _failed);

    public void Dispose()
    {
        Workers.Dispose();
        _present.Dispose();
    }

    private void OnEnded(TlsSession session, TlsPeer? peer)
    {
        Interlocked.Decrement(ref _sessions);
        if (peer is not null)
        {
            lock (_lock)
            {
                _clients.Remove(session);
            }
        }
    }
}

/// <summary>A door whose clients have certificates.</summary>
internal interface IRevocable
{
    /// <summary>Closes the connections of clients with a <see cref="TlsPeer.Refusal"/>, soon, on the door's loop. Any thread.</summary>
    void DropRefused();
}

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
