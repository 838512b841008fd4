using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Tools.Chaos;

/// <summary>The clients of a run: the wanted number of connections, made again when they end.</summary>
internal sealed class ChaosLoad : IDisposable
{
    /// <summary>The period of pace and repairs: short enough for an even pace, long enough to cost nothing.</summary>
    private const int TickMs = 10;

    private readonly ChaosOptions _options;
    private readonly ChaosTls? _tls;
    private readonly EventLoop _loop = new(NullLogger.Instance);
    private readonly List<ChaosConnection> _connections = [];
    private readonly Ticker _ticker;
    private string? _endpoint;      // null: there is no node to connect to
    private int _connecting;
    private int _lastConnection;
    private double _allowance;      // requests that may be sent now at the pace
    private bool _paused;

    public ChaosLoad(ChaosOptions options, string eventName, ChaosLedger ledger, ChaosTls? tls)
    {
        (_options, _tls) = (options, tls);
        Event = Encoding.UTF8.GetBytes(eventName);
        Ledger = ledger;
        Random = new Random(options.Seed);
        _ticker = new Ticker(this);
        _loop.Start("chaos-load");
        _loop.Post(() => _loop.Timers.Arm(_ticker, _loop.NowMs + TickMs));
    }

    public ChaosLedger Ledger { get; }

    public byte[] Event { get; }

    public bool Echoes => _options.Echoes;

    /// <summary>On the loop only.</summary>
    public Random Random { get; }

    public long NextNumber { get; set; }

    /// <summary>The node is being killed or stopped: connections may end.</summary>
    public bool NodeMayEnd { get; private set; }

    /// <summary>The node was told to stop, and has taken all requests: it must answer all of them.</summary>
    public bool NodeDrains { get; private set; }

    /// <summary>The node serves at this endpoint from now on.</summary>
    public Task ConnectToAsync(string endpoint) => Run(() =>
    {
        _endpoint = endpoint;
        _paused = NodeMayEnd = NodeDrains = false;
    });

    /// <summary>The node will be killed.</summary>
    public Task ExpectEndAsync() => Run(() =>
    {
        _endpoint = null;
        NodeMayEnd = true;
    });

    /// <summary>Stops sending, and waits until the node has taken all requests; after that the node is told to stop.</summary>
    public async Task ExpectDrainAsync(TimeSpan limit)
    {
        Task fences = Task.CompletedTask;
        await Run(() =>
        {
            _paused = true;
            _endpoint = null;
            fences = Task.WhenAll(_connections.Where(one => one.IsOpen && !one.IsEnding).Select(one => one.FenceAsync()));
        }).ConfigureAwait(false);
        bool taken = await Task.WhenAny(fences, Task.Delay(limit)).ConfigureAwait(false) == fences;
        await Run(() =>
        {
            NodeMayEnd = true;
            NodeDrains = taken; // otherwise the node holds some connection back, and may end before it has read all requests
        }).ConfigureAwait(false);
    }

    /// <summary>Does an action to a random connection; false when there is none.</summary>
    public async Task<bool> WithConnectionAsync(int which, Action<ChaosConnection> action)
    {
        bool done = false;
        await Run(() =>
        {
            List<ChaosConnection> usable = _connections.FindAll(one => one.IsOpen && !one.IsEnding && !one.IsBurst);
            if (usable.Count > 0)
            {
                action(usable[which % usable.Count]);
                done = true;
            }
        }).ConfigureAwait(false);
        return done;
    }

    /// <summary>Sends so many requests at once on a connection of their own.</summary>
    public Task BurstAsync(int count) => ConnectAsync(count);

    /// <summary>A client with these bytes, which are no messages, for so long; false when the node cannot be reached.</summary>
    public async Task<bool> StrangerAsync(byte[] bytes, int forMs)
    {
        if (await TryConnectAsync(_endpoint).ConfigureAwait(false) is not { } server)
        {
            return false;
        }

        await Run(() => new ChaosStranger(_loop, server).Begin(bytes, forMs)).ConfigureAwait(false);
        return true;
    }

    /// <summary>Stops sending and waits for the outcomes; false when some requests have none in time.</summary>
    public async Task<bool> PauseAsync(TimeSpan limit)
    {
        await Run(() =>
        {
            _paused = true;
            _connections.ForEach(one => one.FinishRequests());
        }).ConfigureAwait(false);
        long end = Environment.TickCount64 + (long)limit.TotalMilliseconds;
        int left;
        while ((left = await Run(() => _connections.Sum(one => one.InFlight)).ConfigureAwait(false)) > 0 && Environment.TickCount64 < end)
        {
            await Task.Delay(50).ConfigureAwait(false);
        }

        return left == 0;
    }

    /// <summary>Sends again.</summary>
    public Task ResumeAsync() => Run(() => { _paused = false; });

    /// <summary>Stops sending and waits for the outcomes; a request without an outcome in time is a fault.</summary>
    public async Task FinishAsync(TimeSpan limit)
    {
        await PauseAsync(limit).ConfigureAwait(false);
        await Run(() =>
        {
            _endpoint = null;
            foreach (string unanswered in _connections.SelectMany(one => one.Unanswered(Clock.NowNs)))
            {
                Ledger.Fault(unanswered);
            }

            foreach (ChaosConnection one in _connections.ToArray())
            {
                one.Drop();
            }
        }).ConfigureAwait(false);
    }

    public void OnOutcome(ChaosConnection connection, bool failed)
    {
        if (connection.IsBurst)
        {
            if (connection.InFlight == 0)
            {
                connection.Drop();
            }
        }
        else if (!failed && _options.RequestsPerSecond == 0 && !_paused && !connection.IsEnding)
        {
            connection.Send(plain: false); // after an error the timer sends: otherwise errors that come at once would make the client spin
        }
    }

    public void OnClosed(ChaosConnection connection) => _connections.Remove(connection);

    public void Dispose() => _loop.Dispose();

    private void Tick()
    {
        _loop.Timers.Arm(_ticker, _loop.NowMs + TickMs);
        int usual = 0;
        _allowance = Math.Min(_allowance + (_options.RequestsPerSecond * TickMs / 1000.0), _options.RequestsPerSecond / 10.0);
        int start = _connections.Count == 0 ? 0 : Random.Next(_connections.Count);
        for (int i = 0; i < _connections.Count; i++)
        {
            ChaosConnection one = _connections[(start + i) % _connections.Count];
            usual += one.IsBurst ? 0 : 1;
            if (!one.IsOpen || one.IsEnding || _paused || one.IsBurst)
            {
                continue;
            }

            one.FinishRequests();
            while (one.InFlight < _options.InFlight && (_options.RequestsPerSecond == 0 || _allowance >= 1))
            {
                _allowance--;
                one.Send(plain: false);
            }
        }

        for (int i = usual + _connecting; i < _options.Connections && _endpoint is not null && !_paused; i++)
        {
            _connecting++;
            _ = ConnectAsync(0);
        }
    }

    private async Task ConnectAsync(int burst)
    {
        string? endpoint = _endpoint;
        ServerSocket? socket = await TryConnectAsync(endpoint).ConfigureAwait(false);
        await Run(() =>
        {
            if (burst == 0)
            {
                _connecting--;
            }

            if (socket is not { } server)
            {
                return;
            }

            if (endpoint == _endpoint && !_paused)
            {
                ChaosConnection connection = new(_loop, server, this, ++_lastConnection, burst);
                _connections.Add(connection);
                connection.Begin();
                return;
            }

            server.Session?.Dispose();
            _ = LibC.close(server.Descriptor);
        }).ConfigureAwait(false);
    }

    /// <summary>Null when there is no node.</summary>
    private async Task<ServerSocket?> TryConnectAsync(string? endpoint)
    {
        try
        {
            ClientOptions options = _tls?.Client ?? new ClientOptions();
            return endpoint is null ? null
                : await ServerConnector.ConnectAsync(endpoint, options, CancellationToken.None).ConfigureAwait(false);
        }
        catch (ConnectionLostException)
        {
            return null; // the node is being killed, or has ended by itself: the watcher of the process reports that
        }
    }

    private Task Run(Action action) => _loop.RunAsync(action);

    private async Task<T> Run<T>(Func<T> function)
    {
        T result = default!;
        await Run(() => { result = function(); }).ConfigureAwait(false);
        return result;
    }

    private sealed class Ticker(ChaosLoad load) : WheelTimer
    {
        public override void OnDue(long nowMs) => load.Tick();
    }
}
