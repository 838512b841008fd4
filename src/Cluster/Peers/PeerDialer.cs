using System.Net.Sockets;
using System.Numerics;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Cluster.Peers;

/// <summary>
/// Connects to other nodes, chosen at random, until there are enough of them. Lives on the loop; only the attempts are elsewhere.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="tls">The node's TLS; null = the connections have none.</param>
/// <remarks>Safety: a connected socket belongs to this object until it is given to <c>connected</c>, or closed.</remarks>
internal sealed class PeerDialer(EventLoop loop, TlsDoors? tls)
{
    private readonly Dictionary<PeerAddress, Place> _places = []; // of the nodes that were tried
    private readonly List<PeerAddress> _free = [];                // scratch
    private int _attempts;
    private int _taken;   // nodes with a link, or with an attempt under way
    private bool _isClosed;

    /// <summary>Connects to so many nodes more as are missing.</summary>
    /// <param name="known">The nodes.</param>
    /// <param name="wanted">How many of them should have a link.</param>
    /// <param name="random">The source of the choice.</param>
    /// <param name="connected">Gets a connected socket, which belongs to it from then on.</param>
    /// <param name="failed">Hears why an attempt failed.</param>
    public void Dial(
        IReadOnlyList<PeerAddress> known, int wanted, Random random, Action<PeerAddress, PeerSocket> connected,
        Action<PeerAddress, string> failed)
    {
        if (_taken >= wanted || _attempts >= PeerLimits.MostAttempts)
        {
            return;
        }

        _free.Clear();
        foreach (PeerAddress to in known)
        {
            if (!_places.TryGetValue(to, out Place? place) || (!place.IsTaken && loop.NowMs >= place.NextMs))
            {
                _free.Add(to);
            }
        }

        while (_taken < wanted && _attempts < PeerLimits.MostAttempts && _free.Count > 0)
        {
            int chosen = random.Next(_free.Count);
            PeerAddress to = _free[chosen];
            _free.RemoveAt(chosen);
            if (!_places.TryGetValue(to, out Place? place))
            {
                place = _places[to] = new Place();
            }

            place.IsTaken = true;
            _taken++;
            _attempts++;
            _ = Task.Run(() => AttemptAsync(to, connected, failed));
        }

        Forget(known);
    }

    /// <summary>A node has a link that takes jobs: the next pause is short again.</summary>
    public void OnOpen(PeerAddress to)
    {
        Place place = _places[to];
        place.PauseMs = PeerLimits.FirstPauseMs;
        place.Failures = 0;
    }

    /// <summary>A node has no link any more. It may get another one after a pause.</summary>
    public void OnLost(PeerAddress to)
    {
        Place place = _places[to];
        place.IsTaken = false;
        _taken--;
        place.NextMs = loop.NowMs + place.PauseMs;
        place.PauseMs = Math.Min(place.PauseMs * 2, PeerLimits.LongestPauseMs);
    }

    /// <summary>Counts a failed attempt; the number when it is worth a line of the log, otherwise null.</summary>
    public long? CountFailure(PeerAddress to) => BitOperations.IsPow2(++_places[to].Failures) ? _places[to].Failures : null;

    /// <summary>Connects no more.</summary>
    public void Close() => _isClosed = true;

    /// <summary>Nodes that are gone from the list need no place.</summary>
    private void Forget(IReadOnlyList<PeerAddress> known)
    {
        if (_places.Count > known.Count)
        {
            HashSet<PeerAddress> all = [.. known];
            foreach (PeerAddress to in _places.Keys.ToArray())
            {
                if (!_places[to].IsTaken && !all.Contains(to))
                {
                    _places.Remove(to);
                }
            }
        }
    }

    private async Task AttemptAsync(PeerAddress to, Action<PeerAddress, PeerSocket> connected, Action<PeerAddress, string> failed)
    {
        PeerSocket? made = null;
        string problem = "";
        try
        {
            using Socket socket = to.At.AddressFamily == AddressFamily.Unspecified ? new(SocketType.Stream, ProtocolType.Tcp)
                : new(to.At.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            using CancellationTokenSource limit = new(PeerLimits.HelloMs);
            SocketTuning.PrepareConnect((int)socket.Handle, to.At);
            await socket.ConnectAsync(to.At, limit.Token).ConfigureAwait(false);
            made = await SecureAsync(socket).ConfigureAwait(false);
            SocketTuning.Apply(made.Value.Descriptor);
        }
        catch (Exception failure) when (failure is SocketException or IOException or OperationCanceledException or TlsException)
        {
            problem = failure is OperationCanceledException ? "the node does not answer" : failure.Message;
        }

        loop.Post(() => OnAttempted(to, made, problem, connected, failed));
    }

    /// <summary>Makes the handshake where the node has TLS. Any certificate of the CA will do: the hello proves which node it is.</summary>
    private async Task<PeerSocket> SecureAsync(Socket socket)
    {
        if (tls is null)
        {
            return new PeerSocket(DescriptorCopy.Of((int)socket.Handle));
        }

        TlsSession session = tls.TryConnect()
            ?? throw new TlsException(TlsPart.Ca, null, "the node's files have no CA for links between nodes any more");
        try
        {
            using CancellationTokenSource limit = new(PeerLimits.HandshakeMs);
            byte[] first = await ClientHandshake.RunAsync(loop, socket, session, limit.Token).ConfigureAwait(false);
            return new PeerSocket(DescriptorCopy.Of((int)socket.Handle), session, first);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private void OnAttempted(
        PeerAddress to, PeerSocket? made, string problem, Action<PeerAddress, PeerSocket> connected, Action<PeerAddress, string> failed)
    {
        _attempts--;
        if (made is { } socket && !_isClosed)
        {
            connected(to, socket);
            return;
        }

        made?.Close();
        if (made is null && !_isClosed)
        {
            OnLost(to);
            failed(to, problem);
        }
    }

    /// <summary>A node as the target of links.</summary>
    private sealed class Place
    {
        /// <summary>The node has a link, or an attempt is under way.</summary>
        public bool IsTaken { get; set; }

        /// <summary>The time before which no attempt is made, ms.</summary>
        public long NextMs { get; set; }

        public int PauseMs { get; set; } = PeerLimits.FirstPauseMs;

        /// <summary>Attempts that failed since the last open link.</summary>
        public long Failures { get; set; }
    }
}
