using System.Numerics;
using Cocaine.Fast.Client;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Commands.Tunnels;

/// <summary>The counts of a tunnel since its start.</summary>
/// <param name="Accepted">Connections that were taken.</param>
/// <param name="Failed">Connections for which the server could not be reached.</param>
/// <param name="Cut">Connections that ended otherwise than by both peers.</param>
/// <param name="Refused">Connections over the bound.</param>
/// <param name="ThereBytes">Bytes of callers to the server.</param>
/// <param name="BackBytes">Bytes of the server to callers.</param>
internal readonly record struct TunnelCounts(long Accepted, long Failed, long Cut, long Refused, long ThereBytes, long BackBytes);

/// <summary>
/// Accepts connections without TLS, and passes each on over a TLS connection of its own. All members are for the loop's thread.
/// </summary>
/// <param name="loop">The loop of all connections.</param>
/// <param name="to">The server's endpoint.</param>
/// <param name="options">The settings of the connections to it.</param>
/// <param name="log">The program's log.</param>
internal sealed class Tunnel(EventLoop loop, string to, ClientOptions options, ILogger log)
{
    /// <summary>
    /// Connections at a time, those that wait for the server included: half as many as a node takes of one address. With all buffers full
    /// they take 1.2 GiB.
    /// </summary>
    private const int MaxConnections = 512;

    private const int Backlog = 128;

    private readonly List<Listener> _listeners = [];
    private readonly HashSet<TunnelEnd> _near = [];
    private readonly CancellationTokenSource _stop = new();
    private TunnelCounts _counts;
    private int _open;  // accepted and not closed

    /// <summary>The endpoints that are listened on.</summary>
    public IReadOnlyList<string> Endpoints => _listeners.ConvertAll(listener => Endpoint.Describe(listener.Address));

    /// <summary>The counts, with the bytes of open connections.</summary>
    public TunnelCounts Counts => _near.Aggregate(_counts, Add);

    /// <summary>Binds and begins to accept.</summary>
    /// <exception cref="IOException">An address cannot be bound.</exception>
    public void Open(Endpoint listen)
    {
        _listeners.AddRange(Listener.Bind(loop, listen, Backlog, UnixFileMode.UserRead | UnixFileMode.UserWrite, Accept));
        _listeners.ForEach(listener => listener.Open());
    }

    /// <summary>Accepts no more, and closes all connections.</summary>
    public void Close()
    {
        _stop.Cancel();
        _listeners.ForEach(listener => listener.Dispose());
        foreach (TunnelEnd end in _near.ToArray())
        {
            end.Close("the tunnel stops");
        }
    }

    private static TunnelCounts Add(TunnelCounts counts, TunnelEnd near) => counts with
    {
        ThereBytes = counts.ThereBytes + near.PassedBytes,
        BackBytes = counts.BackBytes + near.CameBackBytes,
    };

    private void Accept(int descriptor)
    {
        if (_open >= MaxConnections)
        {
            _ = LibC.close(descriptor);
            _counts = _counts with { Refused = _counts.Refused + 1 };
            if (BitOperations.IsPow2(_counts.Refused))
            {
                TunnelLog.Refused(log, MaxConnections, _counts.Refused);
            }

            return;
        }

        _open++;
        _counts = _counts with { Accepted = _counts.Accepted + 1 };
        _ = Task.Run(() => ConnectAsync(descriptor)); // files of certificates are read, and names looked up: not on the loop
    }

    /// <summary>Connects to the server. The accepted connection waits unread meanwhile.</summary>
    private async Task ConnectAsync(int near)
    {
        try
        {
            ServerSocket server = await ServerConnector.ConnectAsync(to, options, _stop.Token).ConfigureAwait(false);
            loop.Post(() => Join(near, server));
        }
        catch (Exception failure)
        {
            loop.Post(() => Fail(near, failure)); // whatever it is, the accepted connection must not wait for ever
        }
    }

    private void Join(int near, in ServerSocket server)
    {
        (TunnelEnd nearEnd, TunnelEnd farEnd) = TunnelEnd.Join(loop, near, server.Descriptor, OnClosed);
        _near.Add(nearEnd);
        nearEnd.Open();
        server.Open(farEnd);
        if (_stop.IsCancellationRequested)
        {
            nearEnd.Close("the tunnel stops");
        }
    }

    private void Fail(int near, Exception failure)
    {
        _open--;
        SocketEnds.ResetOnClose(near);
        _ = LibC.close(near);
        if (failure is OperationCanceledException)
        {
            return; // the tunnel stops
        }

        _counts = _counts with { Failed = _counts.Failed + 1 };
        if (BitOperations.IsPow2(_counts.Failed))
        {
            TunnelLog.NotConnected(log, failure.Message, _counts.Failed);
        }
    }

    private void OnClosed(TunnelEnd near, string reason)
    {
        _open--;
        _near.Remove(near);
        _counts = Add(_counts, near);
        if (near.IsDone || _stop.IsCancellationRequested)
        {
            return;
        }

        _counts = _counts with { Cut = _counts.Cut + 1 };
        if (BitOperations.IsPow2(_counts.Cut))
        {
            TunnelLog.Cut(log, TlsFaults.OfEnd(reason), _counts.Cut);
        }
    }
}
