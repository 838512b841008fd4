using System.Net;
using System.Text;
using Cocaine.Fast.Cluster.Peers;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Drivers.Native;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Cluster.Tests.Peers;

/// <summary>
/// A node with one app on a loop of its own, with its peer port on loopback, and slaves that do what the event says: "echo", "sleep N",
/// "stream N", "hang", "fail".
/// </summary>
internal sealed class PeerNode : ISlaveBackend, IPeerList, IAsyncDisposable
{
    public const string AppName = "app";
    public static readonly byte[] Secret = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    private readonly List<PeerAddress> _peers = [];
    private readonly TestLog _log = new();

    private PeerNode(string name, EngineSettings settings, byte[] secret, TlsDoors? tls)
    {
        Name = name;
        Loop = new EventLoop(_log);
        Engine = new AppEngine(AppName, settings, Loop, this, _log);
        PeerIdentity self = new("cluster", name, 1, secret);
        Forwarder = new PeerForwarder(AppName, Loop, self, this, _log, new Random(1), tls);
        Engine.Scope.Forwarder = Forwarder;
        App = new PeerApp(AppName, Loop, () => IsDraining, _log);
        App.Use(Engine, [new EventCatalog("task", ["*"])]);
        Self = self;
        Listener = new PeerListener(Loop, Endpoint.Parse("tcp://127.0.0.1:0"), _log, tls);
        Listener.Add(App);
        Task = new TaskMonitor("task") { MayForward = true };
    }

    public string Name { get; }

    public PeerIdentity Self { get; }

    /// <summary>The node takes no jobs of others.</summary>
    public bool IsDraining { get; set; }

    public EventLoop Loop { get; }

    public AppEngine Engine { get; }

    public PeerForwarder Forwarder { get; }

    public PeerApp App { get; }

    public PeerListener Listener { get; }

    public TaskMonitor Task { get; }

    public IReadOnlyList<string> Log => _log.Lines;

    public IPEndPoint Port => (IPEndPoint)Listener.Addresses.First();

    /// <summary>Jobs that the slaves here have begun.</summary>
    public int Begun { get; private set; }

    /// <summary>Jobs that the slaves here were told to end.</summary>
    public int Cancelled { get; set; }

    /// <summary>The headers of the last call that a slave got.</summary>
    public byte[] LastHeaders { get; set; } = [];

    /// <summary>A node whose slaves are ready, on a loop that runs.</summary>
    public static async Task<PeerNode> StartAsync(string name, int slots = 1, int queueLimit = 10, byte[]? secret = null, TlsDoors? tls = null)
    {
        PeerNode node = new(name, new EngineSettings { PoolLimit = slots, PoolMinimum = slots, QueueLimit = queueLimit, RetryLimit = 2 }, secret ?? Secret, tls);
        node.Loop.Start(name);
        await node.On(() =>
        {
            node.Listener.Open(node.Self);
            node.Engine.Start(slots);
            return true;
        });
        await node.UntilAsync(() => node.Engine.Pool.Roster.Ready == slots);
        return node;
    }

    /// <summary>Jobs may go to these nodes.</summary>
    public void Knows(params PeerNode[] others)
    {
        lock (_peers)
        {
            _peers.AddRange(others.Select(other => new PeerAddress(other.Name, other.Port)));
        }
    }

    /// <summary>Jobs may go to something at this address.</summary>
    public void Knows(string name, IPEndPoint at)
    {
        lock (_peers)
        {
            _peers.Add(new PeerAddress(name, at));
        }
    }

    public IReadOnlyList<PeerAddress> Of(string app)
    {
        lock (_peers)
        {
            return [.. _peers];
        }
    }

    /// <summary>Something on the loop.</summary>
    public async Task<T> On<T>(Func<T> what)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Loop.Post(() =>
        {
            try
            {
                done.SetResult(what());
            }
            catch (Exception failure)
            {
                done.SetException(failure);
            }
        });
        return await done.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    /// <summary>Waits for something that comes about on the loop.</summary>
    public async Task UntilAsync(Func<bool> holds)
    {
        for (long until = Environment.TickCount64 + 30_000; !await On(holds); await System.Threading.Tasks.Task.Delay(5))
        {
            Assert.True(Environment.TickCount64 < until, $"{Name} waits in vain; its log:\n{string.Join('\n', Log)}");
        }
    }

    /// <summary>Opens the links, and occupies a slave: jobs that find none make the node look for others.</summary>
    public async Task LinkAsync(int links)
    {
        Assert.Equal(0, (await (await CallAsync("sleep 50")).Ended).Code); // from here on a wait is worth a hop
        await CallAsync("hang");
        await UntilAsync(() =>
        {
            _ = Forwarder.Choose(new Core.Balancing.OwnQueue(0, 1, 0, false));
            return Forwarder.Links.Count(link => link.Load.IsEligible(Loop.NowNs)) == links;
        });
    }

    /// <summary>Calls the app, with a whole request.</summary>
    public Task<TestCall> CallAsync(string name, JobPolicy policy = default, int sizeBytes = 5, bool whole = true) => On(() =>
    {
        TestCall call = new(this);
        call.Begin(name, in policy, sizeBytes, whole);
        return call;
    });

    /// <summary>Accepted = done + failed + queued + running.</summary>
    public Task<bool> HoldsAsync() => On(() => Engine.Counters.Holds(Engine.Queue.Count, Engine.RunningJobs));

    public int Cores => 64;

    public SlaveRoom RoomFor(int wanted, bool isFirst) => new(wanted);

    public SlaveLink Launch(Slave slave)
    {
        TestSlave link = new(this, slave);
        Loop.Post(() => slave.OnReady());
        return link;
    }

    public void OnBegun() => Begun++;

    /// <summary>Ends at once, as a killed process does.</summary>
    public async ValueTask DisposeAsync()
    {
        await On(() =>
        {
            Listener.Close();
            App.Close();
            Engine.StopNow("the test is over");
            Forwarder.Close();
            return true;
        });
        Loop.Dispose();
    }
}

/// <summary>How a call ended: the code is 0 when it was answered.</summary>
internal sealed record CallEnd(int Code, string Reason, int Chunks, long Bytes);

/// <summary>One call of the app, as its caller sees it.</summary>
internal sealed class TestCall(PeerNode node) : IJobCaller
{
    private readonly TaskCompletionSource<CallEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _chunks;
    private long _bytes;

    public Job? Job { get; private set; }

    public Task<CallEnd> Ended => _ended.Task.WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>Chunks that have come.</summary>
    public int Chunks => Volatile.Read(ref _chunks);

    /// <summary>The caller was told to wait with its request.</summary>
    public bool IsPressed { get; private set; }

    /// <summary>Called on the loop with each chunk.</summary>
    public Action<Job>? OnEachChunk { get; set; }

    public void Begin(string name, in JobPolicy policy, int sizeBytes, bool whole)
    {
        Job = node.Engine.Submit(this, 1, node.Task, Encoding.UTF8.GetBytes(name), in policy, default, out JobRefusal refusal);
        if (Job is null)
        {
            _ended.SetResult(new CallEnd(refusal.Code, refusal.Reason, 0, 0));
        }
        else
        {
            node.Engine.AddChunk(Job, new Payload(new byte[sizeBytes]));
            if (whole && Job is not null)
            {
                node.Engine.EndRequest(Job);
            }
        }
    }

    public void OnChunk(Job job, in Payload data)
    {
        Volatile.Write(ref _chunks, _chunks + 1); // read by the test
        _bytes += data.Length;
        OnEachChunk?.Invoke(job);
    }

    public void OnDone(Job job) => End(new CallEnd(0, "", _chunks, _bytes));

    public void OnFailed(Job job, in JobError error) => End(new CallEnd(error.Code, Encoding.UTF8.GetString(error.Reason), _chunks, _bytes));

    public void OnRequestPressure(Job job, bool high) => IsPressed = high;

    private void End(CallEnd end)
    {
        Job = null;
        _ended.SetResult(end); // twice is a fault
    }
}

/// <summary>Keeps what is logged.</summary>
internal sealed class TestLog : ILogger
{
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
        {
            _lines.Add($"{formatter(state, exception)}{exception}");
        }
    }
}
