using Cocaine.Fast.Core.Security;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>
/// The TLS of all doors of a node: the present files, the bounds and threads of handshakes, and counts. Any thread.
/// </summary>
/// <param name="first">The files at the start; belong to this object from now on.</param>
/// <param name="handshakeTimeoutMs">The longest handshake, ms.</param>
/// <param name="log">The node's log.</param>
internal sealed class TlsDoors(TlsContexts first, long handshakeTimeoutMs, ILogger log) : IDisposable
{
    private readonly Lock _lock = new(); // guards the list and the change of the files
    private readonly List<IRevocable> _revocables = [];
    private volatile TlsContexts _present = first;
    private long _handshakes;
    private long _failed;
    private long _sessions;

    /// <summary>The longest handshake, ms.</summary>
    public long HandshakeTimeoutMs { get; } = handshakeTimeoutMs;

    public HandshakeGate Gate { get; } = new();

    public TlsWorkers Workers { get; } = new();

    public ILogger Log => log;

    /// <summary>The present files.</summary>
    public TlsContexts Files => _present;

    /// <summary>The node's certificates.</summary>
    public IReadOnlyList<CertificateFacts> Certificates => _present.Certificates;

    /// <summary>The revoked clients.</summary>
    public RevokedList Revoked => _present.Revoked;

    /// <summary>Handshakes that have succeeded.</summary>
    public long Handshakes => Interlocked.Read(ref _handshakes);

    /// <summary>Handshakes that have failed, or were given up.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Open sessions.</summary>
    public long Sessions => Interlocked.Read(ref _sessions);

    /// <summary>The files have what a door needs.</summary>
    public bool Offers(DoorTls door) => _present.Of(door) is not null;

    /// <summary>Makes the session of a new connection; null when the door's files are gone.</summary>
    public TlsSession? TryAccept(DoorTls door)
    {
        while (_present.Of(door) is { } context)
        {
            if (context.TryAccept() is { } session)
            {
                return session;
            }
        }

        return null;
    }

    /// <summary>New handshakes use other files from now on. Open connections stay, but for those of revoked clients.</summary>
    public void Use(TlsContexts next)
    {
        TlsContexts before;
        IRevocable[] doors;
        lock (_lock)
        {
            before = _present;
            _present = next;
            doors = [.. _revocables];
        }

        before.Dispose();
        foreach (IRevocable door in doors)
        {
            door.DropRevoked();
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
    public void OnSecured(TlsSession session)
    {
        Interlocked.Increment(ref _handshakes);
        Interlocked.Increment(ref _sessions);
        session.Disposed = () => Interlocked.Decrement(ref _sessions);
    }

    /// <summary>A handshake has failed; the number of those so far.</summary>
    public long OnFailed() => Interlocked.Increment(ref _failed);

    public void Dispose()
    {
        Workers.Dispose();
        _present.Dispose();
    }
}

/// <summary>A door whose clients have certificates.</summary>
internal interface IRevocable
{
    /// <summary>Closes the connections of clients that are revoked by now, soon and on the door's own loop. Any thread.</summary>
    void DropRevoked();
}
