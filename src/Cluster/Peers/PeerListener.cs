using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Numerics;
using System.Security.Cryptography;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Cluster.Peers;

/// <summary>
/// The peer port of a node: takes the hellos of other nodes, and hands those that have proven themselves to the loop of the app that they
/// ask for. Lives on one loop.
/// </summary>
/// <remarks>Safety: an accepted descriptor belongs to its greeting, which closes it; a link that is handed on gets a copy of it.</remarks>
internal sealed class PeerListener
{
    private const int Backlog = 256;

    private readonly IReadOnlyList<Listener> _listeners;
    private readonly SecuredDoor? _secured; // null without TLS
    private readonly HashSet<PeerGreeting> _greetings = [];
    private readonly ConcurrentDictionary<string, ImmutableArray<PeerApp>> _apps = new();
    private uint _next;          // the shard of an app that gets the next link
    private long _turnedAway;

    /// <param name="loop">The loop.</param>
    /// <param name="at">The port.</param>
    /// <param name="log">The node's log.</param>
    /// <param name="tls">The node's TLS, with which nodes show their certificates before the hello; null = the port has none.</param>
    /// <exception cref="IOException">The endpoint cannot be bound.</exception>
    public PeerListener(EventLoop loop, Endpoint at, ILogger log, TlsDoors? tls = null)
    {
        Loop = loop;
        Log = log;
        _secured = tls is null ? null : new SecuredDoor(
            loop, tls, DoorTls.Mutual, "peer port", peer => Greet(new PeerSocket(peer.Descriptor, peer.Session, peer.First, peer.Peer)),
            DropRefused);
        _listeners = Listener.Bind(loop, at, Backlog, UnixFileMode.UserRead | UnixFileMode.UserWrite, Accept);
    }

    public EventLoop Loop { get; }

    /// <summary>This node. Valid once the listener is open.</summary>
    public PeerIdentity Self { get; private set; } = null!;

    public ILogger Log { get; }

    /// <summary>The addresses that are bound.</summary>
    public IEnumerable<EndPoint> Addresses => _listeners.Select(listener => listener.Address);

    /// <summary>Connections whose hello is not whole.</summary>
    public int Greetings => _greetings.Count;

    /// <summary>Connections that were turned away.</summary>
    public long TurnedAway => Volatile.Read(ref _turnedAway); // for other threads: the other half is in OnTurnedAway

    /// <summary>Begins to accept; on the loop.</summary>
    public void Open(PeerIdentity self)
    {
        Self = self;
        _secured?.Open();
        foreach (Listener listener in _listeners)
        {
            listener.Open();
        }
    }

    /// <summary>Links may come for an app on a loop from now on, on each of its loops in turn; from any thread.</summary>
    public void Add(PeerApp shard) =>
        _apps.AddOrUpdate(shard.Name, _ => [shard], (_, shards) => shards.Contains(shard) ? shards : shards.Add(shard));

    /// <summary>No more links come for an app on a loop; from any thread.</summary>
    public void Remove(PeerApp shard)
    {
        _apps.AddOrUpdate(shard.Name, _ => [], (_, shards) => shards.Remove(shard));
        _apps.TryRemove(KeyValuePair.Create(shard.Name, ImmutableArray<PeerApp>.Empty)); // the last of its app
    }

    /// <summary>Accepts no more; on the loop.</summary>
    public void Close()
    {
        foreach (Listener listener in _listeners)
        {
            listener.Dispose();
        }

        _secured?.Close();

        foreach (PeerGreeting greeting in _greetings.ToArray())
        {
            greeting.Close("the node stops");
        }
    }

    /// <summary>The loops of an app; null when this node does not have it.</summary>
    public PeerApp? Next(string app) => _apps.TryGetValue(app, out ImmutableArray<PeerApp> shards) && shards.Length > 0
        ? shards[(int)(_next++ % (uint)shards.Length)] : null;

    /// <summary>A greeting has ended.</summary>
    public void OnClosed(PeerGreeting greeting) => _greetings.Remove(greeting);

    /// <summary>A connection did not prove itself.</summary>
    public void OnTurnedAway(string peer, string problem)
    {
        Volatile.Write(ref _turnedAway, _turnedAway + 1); // only the loop writes
        if (BitOperations.IsPow2(_turnedAway)) // a stranger that knocks for ever does not fill the log
        {
            PeerLog.TurnedAway(Log, peer, problem, _turnedAway);
        }
    }

    private void Accept(int descriptor)
    {
        if (_secured is null)
        {
            Greet(new PeerSocket(descriptor));
        }
        else
        {
            _secured.Accept(descriptor); // with bounds of its own
        }
    }

    /// <summary>The files of now refuse the certificates of some nodes.</summary>
    private void DropRefused()
    {
        foreach (PeerGreeting greeting in _greetings.Where(static one => one.Certified?.Refusal is not null).ToArray())
        {
            _secured!.TellRefused(greeting);
            greeting.Close("the node's certificate is refused by now");
        }

        foreach (PeerApp shard in _apps.Values.SelectMany(static shards => shards))
        {
            shard.DropRefused();
        }
    }

    private void Greet(PeerSocket socket)
    {
        PeerGreeting greeting = new(this, in socket);
        _greetings.Add(greeting);
        greeting.Begin();
        if (_greetings.Count > PeerLimits.MostGreetings)
        {
            OnTurnedAway(greeting.PeerName, "too many hellos at a time");
            greeting.Close("too many hellos at a time");
        }
    }
}

/// <summary>Where a hello is: <c>awaiting hello → awaiting proof → handed</c>.</summary>
internal enum GreetingState
{
    /// <summary>Nothing has come.</summary>
    AwaitsHello,

    /// <summary>The hello was answered.</summary>
    AwaitsProof,

    /// <summary>The link belongs to its app.</summary>
    Handed,
}

/// <summary>A connection to the peer port that has not proven itself.</summary>
internal sealed class PeerGreeting : MessageConnection
{
    private static readonly ProtocolLimits HelloLimits = new()
    {
        MaxMessageBytes = PeerLimits.MaxHelloBytes,
        MaxDepth = 4,
        MaxElements = 16,
    };

    private readonly PeerListener _listener;
    private readonly byte[] _nonce = RandomNumberGenerator.GetBytes(PeerHello.NonceBytes);
    private readonly Limit _limit;
    private GreetingState _state = GreetingState.AwaitsHello;
    private readonly TlsSession? _session;
    private readonly byte[] _binding;
    private PeerHello? _hello; // valid from AwaitsProof on

    public PeerGreeting(PeerListener listener, in PeerSocket socket)
        : base(listener.Loop, socket.Descriptor, HelloLimits)
    {
        _listener = listener;
        _session = socket.Session;
        _binding = socket.Binding();
        socket.Secure(this);
        _limit = new Limit(this);
    }

    internal override bool IsOfStranger => true;

    /// <summary>Waits for the hello.</summary>
    public void Begin()
    {
        Open();
        Loop.Patience.Arm(_limit, Loop.ListenedMs + PeerLimits.HelloMs);
    }

    protected override void OnBegun(in MessageLayout begun)
    {
        if (begun.TotalBytes > PeerLimits.MaxHelloBytes)
        {
            TurnAway("the hello is too long");
        }
    }

    protected override void OnMessage(in MessageView message, HeaderStatus headers)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        if (layout is not { Channel: PeerHello.Channel, Type: MessageType.Chunk, TotalBytes: <= PeerLimits.MaxHelloBytes })
        {
            TurnAway("the connection does not begin with a hello");
        }
        else if (_state == GreetingState.AwaitsHello)
        {
            OnHello(message.Arguments);
        }
        else if (_state == GreetingState.AwaitsProof)
        {
            OnProof(message.Arguments);
        }
    }

    protected override void OnMalformed(ulong? channel, int code, string problem) => TurnAway(problem);

    protected override void OnClosed(string reason)
    {
        Loop.Patience.Cancel(_limit);
        _listener.OnClosed(this);
    }

    private void OnHello(ReadOnlySpan<byte> arguments)
    {
        _hello = PeerHello.Read(arguments, _binding);
        if (_hello is null || _hello.Cluster != _listener.Self.Cluster)
        {
            TurnAway(_hello is null ? "the hello cannot be read" : "the node belongs to another cluster");
            return;
        }

        _state = GreetingState.AwaitsProof;
        _hello.WriteAnswer(Output, _listener.Self, _nonce);
        ScheduleSend();
    }

    private void OnProof(ReadOnlySpan<byte> arguments)
    {
        if (!_hello!.IsProof(arguments, _listener.Self.Secret, _listener.Self.Node, _nonce))
        {
            TurnAway("the node does not know the cluster's secret");
        }
        else if (_listener.Next(_hello.App) is not { } app)
        {
            Refuse(ErrorCodes.NotFound, "this node does not have the app");
        }
        else
        {
            HandOn(app);
        }
    }

    /// <summary>The link is the app's from now on; this connection ends before the app's loop uses the session.</summary>
    private void HandOn(PeerApp app)
    {
        _session?.AddOwner();
        PeerSocket socket = new(DescriptorCopy.Of(Descriptor), _session, default, Certified);
        _state = GreetingState.Handed;
        Close("the link belongs to its app");
        app.Take(socket, _hello!.Caller);
    }

    private void TurnAway(string problem)
    {
        if (IsOpen)
        {
            _listener.OnTurnedAway(PeerName, problem);
            Refuse(ErrorCodes.Forbidden, problem);
        }
    }

    private void Refuse(int code, string problem)
    {
        MessageWriter.WriteError(Output, PeerHello.Channel, ErrorCodes.Category, code, problem);
        FlushAndClose(problem);
    }

    private sealed class Limit(PeerGreeting greeting) : WheelTimer
    {
        public override void OnDue(long nowMs) => greeting.TurnAway($"no proof within {PeerLimits.HelloMs} ms");
    }
}
