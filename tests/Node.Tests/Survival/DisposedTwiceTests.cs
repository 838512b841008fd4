using System.Buffers;
using System.Collections;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.CompilerServices;
using Cocaine.Fast.Backends.Languages;
using Cocaine.Fast.Backends.Processes;
using Cocaine.Fast.Client;
using Cocaine.Fast.Client.Clusters;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Certificates;
using Cocaine.Fast.Node.Cluster;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Daemon;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Tools.Chaos;
using Cocaine.Fast.Tools.ClusterChaos;
using Cocaine.Fast.Tools.WorkerCheck;
using Cocaine.Fast.Transport.Files;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.SharedMemory;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tls;
using Cocaine.Fast.Transport.Trust;
using Cocaine.Fast.Worker.SharedObjects;
using Cocaine.Fast.Worker.Testing;
using Microsoft.Extensions.Logging.Abstractions;

using ClusterNode = Cocaine.Fast.Node.Cluster.ClusterNode;
using SendBatch = Cocaine.Fast.Transport.Loop.SendBatch;

namespace Cocaine.Fast.Node.Tests.Survival;

/// <summary>
/// Whatever owns memory, descriptors or files gives them back once, however often it is disposed of: a number that is closed twice may be
/// another's the second time, and memory that is freed twice ends the process.
/// </summary>
[Collection(nameof(Alone))]
public sealed class DisposedTwiceTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TestFolder _folder = new();
    private readonly List<object> _others = [];
    private readonly Dictionary<string, Func<Task<object>>> _owners;

    public DisposedTwiceTests() => _owners = new Dictionary<string, Func<Task<object>>>
    {
        [nameof(Epoll)] = () => Made(new Epoll()),
        [nameof(EventDescriptor)] = () => Made(new EventDescriptor()),
        [nameof(Inotify)] = () => Made(new Inotify()),
        [nameof(FolderReader)] = () =>
        {
            FolderReader reader = new();
            Assert.True(reader.TryOpen("/tmp\0"u8));
            return Made(reader);
        },
        [nameof(AppRunner)] = () => Made(new AppRunner(typeof(EndedApp))),
        [nameof(FolderLock)] = () => Made(FolderLock.TryTake(_folder.Path)!),
        [nameof(SubmissionRing)] = () => Made(SubmissionRing.TryCreate() ?? (object)new EventDescriptor()), // kernels without it have no owner
        [nameof(SendBatch)] = () =>
        {
            SendBatch batch = new();
            batch.Begin(2);
            return Made(batch);
        },
        [nameof(BeginPage)] = () => Made(BeginPage.Create(1)),
        [nameof(Segment)] = () => Made(Segment.Create(64 << 10, 1, 0, shared: true)),
        [nameof(LedgerFile)] = () => Made(LedgerFile.OpenForNode(_folder["x.ledger"], "x", 64, out _)),
        [nameof(EventLoop)] = () =>
        {
            EventLoop loop = new(NullLogger.Instance);
            loop.Start("twice");
            return Made(loop);
        },
        [nameof(Listener)] = () => Made(Listener.Bind(
            Loop(), Endpoint.Parse($"ipc://{_folder["listener.sock"]}"), 1, UnixFileMode.UserRead, _ => { })[0]),
        [nameof(TreeWatcher)] = () => Made(Watcher()),
        ["RenameTracker"] = () => Made(PartOf(Watcher(), "_renames")),
        [nameof(ScanSchedule)] = () => Made(PartOf(Watcher(), "_schedule")),
        [nameof(PendingFile)] = () => Made(PendingFile.Write(_folder["pending"], "x"u8)),
        [nameof(BufferPool)] = () => Made(new BufferPool()),
        [nameof(BufferBlock)] = () => Made(new BufferPool().Rent(64)),
        [nameof(GroupSentinel)] = () => Made(new GroupSentinel()),
        [nameof(OrphanReaper)] = () => Made(new OrphanReaper(_ => { }, _ => false)),
        [nameof(ProcessLauncher)] = () => Made(new ProcessLauncher()),
        [nameof(NativeWords)] = () => Made(new NativeWords(["one", "two"])),
        [nameof(SubscriberClient)] = () => Made(new SubscriberClient("tcp://127.0.0.1:9", "")),
        [nameof(WorkerProcess)] = () => Made(Worker()),
        [nameof(NodeEnd)] = () => Made(End()),
        ["Conversation"] = () => Made(new Conversation(Worker(), End(), "a", "u", new WorkerCheckOptions { Command = ["/bin/true"] })),
        ["PipeCheck"] = () => Made(Activator.CreateInstance(
            typeof(WorkerChecker).GetNestedType("PipeCheck", BindingFlags.NonPublic)!,
            WorkerChecker.Socket, null, new WorkerCheckOptions { Command = ["/bin/true"] }, null)!),
        [nameof(StateFolder)] = () => Made(StateFolder.Open(_folder["held"])),
        [nameof(SystemdNotifier)] = () => Made(new SystemdNotifier(_folder["notify"], NullLogger.Instance)),
        ["Lease"] = async () => await new NameGates().EnterAsync("app", giveUp: false, CancellationToken.None),
        [nameof(NodeLoops)] = () =>
        {
            NodeLoops loops = new(2, 0, NullLogger.Instance);
            loops.Start();
            return Made(loops);
        },
        ["NodeTimer"] = () => Made(NodeClock.Instance.CreateTimer(_ => { }, null, TimeSpan.FromHours(1), Timeout.InfiniteTimeSpan)),
        [nameof(AppFactory)] = () => Made(PartOf(new CocaineNode(Options()), "_factory")),
        [nameof(CocaineNode)] = () => Made(Started()),
        [nameof(ControlService)] = async () =>
        {
            CocaineNode node = Started();
            _others.Add(node);
            return await ControlService.OpenAsync(node, $"ipc://{_folder["control.sock"]}", new PlainControlHost(node));
        },
        [nameof(RemoteControl)] = async () =>
        {
            TlsIdentity server = Server();
            CocaineNode node = new(new NodeOptions
            {
                Loops = 1,
                Locator = null,
                LedgerDirectory = _folder["ledger"],
                Security = new Core.Security.SecurityConfig { Tls = Tls() with { ClientCaFile = server.CertificateFile } },
            });
            node.Start();
            _others.Add(node);
            return await RemoteControl.OpenAsync(node, "tcp://127.0.0.1:0", new PlainControlHost(node));
        },
        [nameof(NodeControlClient)] = async () =>
        {
            CocaineNode node = Started();
            _others.Add(await ControlService.OpenAsync(node, $"ipc://{_folder["asked.sock"]}", new PlainControlHost(node)));
            _others.Add(node);
            return await NodeControlClient.ConnectAsync($"ipc://{_folder["asked.sock"]}");
        },
        [nameof(ClusterNode)] = () =>
        {
            ClusterConfig config = new() { Name = "twice", Engine = ["nats://127.0.0.1:1"] }; // nobody listens there
            ClusterNode cluster = new(_folder["state"], new ClusterSettings(config, () => [], () => [], () => [], () => []), () => { }, NullLogger.Instance);
            cluster.Start();
            return Made(cluster);
        },
        [nameof(NodeDaemon)] = async () =>
        {
            NodeDaemon daemon = new(Config(), NullLoggerFactory.Instance);
            await daemon.StartAsync();
            return daemon;
        },
        [nameof(CocaineClient)] = async () =>
        {
            TcpListener server = new(IPAddress.Loopback, 0);
            server.Start();
            _others.Add(server);
            return await CocaineClient.ConnectAsync($"tcp://{server.LocalEndpoint}");
        },
        [nameof(TlsContexts)] = () => Made(TlsContexts.Read(Tls())),
        [nameof(TlsContext)] = () => Made(Context()),
        [nameof(TlsSession)] = () => Made(Session()),
        [nameof(TlsLayer)] = () => Made(new TlsLayer(Session(), [1, 2, 3], new BufferPool())),
        [nameof(TlsNames)] = () =>
        {
            TlsNames names = new();
            names.Add("a", ContextMaker.MakeServer(Server(), new TlsServerSettings(Server())));
            return Made(names);
        },
        [nameof(TlsWorkers)] = () => Made(new TlsWorkers()),
        [nameof(TlsDoors)] = () => Made(new TlsDoors(TlsContexts.Read(Tls()), 1000, NullLogger.Instance, new Audit(NullLogger.Instance, TimeProvider.System))),
        [nameof(NodeCertificates)] = () =>
        {
            NodeCertificates certificates = new(Tls(), NullLogger.Instance, new Audit(NullLogger.Instance, TimeProvider.System));
            certificates.Start();
            return Made(certificates);
        },
        [nameof(OpeningFile)] = () => Made(OpeningFile.Open(_folder["used-alone"])),
        [nameof(SealWorker)] = () => Made(SealWorker.Start(Keys().Folder, _folder["used"], NullLogger.Instance, TimeProvider.System)),
        [nameof(NodeSeals)] = () =>
        {
            NodeSeals seals = new();
            seals.Start(Keys().Folder, _folder["used-too"], NullLogger.Instance, TimeProvider.System);
            return Made(seals);
        },
        [nameof(ChaosRun)] = () => Made(new ChaosRun(Chaos())),
        [nameof(ClusterClient)] = () => Made(Activator.CreateInstance(
            typeof(ClusterClient), BindingFlags.NonPublic | BindingFlags.Instance, null, ["a", new ClusterOptions()], null)!),
        [nameof(ClusterCall)] = async () =>
        {
            TcpListener server = new(IPAddress.Loopback, 0);
            server.Start();
            _others.Add(server);
            CocaineClient client = await CocaineClient.ConnectAsync($"tcp://{server.LocalEndpoint}");
            _others.Add(client);
            NodeSet nodes = new("a");
            nodes.Want([$"tcp://{server.LocalEndpoint}"]);
            nodes.OnConnected(nodes.TakeDue(long.MaxValue)[0], client);
            Assert.True(nodes.TryTake(out Attempt attempt));
            return new ClusterCall(nodes, attempt, (at, _) => at.Client.Open("echo", default, CancellationToken.None));
        },
        [nameof(ClusterChaosRun)] = () => Made(new ClusterChaosRun(Chaos())),
        [nameof(EngineProcess)] = () => Made(new EngineProcess(_folder["engine"])),
        [nameof(MemberProcess)] = () =>
        {
            MemberProcess member = new(["/bin/sleep", "600"], "a", Directory.CreateDirectory(_folder["member"]).FullName, "nats://127.0.0.1:1", new StreamWriter(Stream.Null));
            member.Start();
            return Made(member);
        },
        [nameof(ChaosLoad)] = () => Made(new ChaosLoad(Chaos(), "echo", new ChaosLedger(TextWriter.Null), null)),
        [nameof(NodeProcess)] = async () => await NodeProcess.StartAsync(
            ["/bin/sh", "-c", "echo 'ready app=a task=t endpoint=tcp://127.0.0.1:1'; exec sleep 600"], [], "t",
            new StreamWriter(Stream.Null), CancellationToken.None),
        [nameof(StartBlock)] = async () =>
        {
            NodeProcess node = await NodeProcess.StartAsync(
                ["/bin/sh", "-c", "echo 'ready app=a task=t endpoint=tcp://127.0.0.1:1'; exec sleep 600"], [], "t",
                new StreamWriter(Stream.Null), CancellationToken.None);
            _others.Add(node);
            return new StartBlock(node);
        },
    };

    private static IEnumerable<Type> AllOwners => new[] { typeof(Core.Engine.AppEngine), typeof(EventLoop), typeof(ProcessLauncher), typeof(NativeWords),
            typeof(SubscriberClient), typeof(CocaineClient), typeof(CocaineNode), typeof(ChaosLoad) }
        .SelectMany(one => one.Assembly.GetTypes())
        .Where(type => (typeof(IDisposable).IsAssignableFrom(type) || typeof(IAsyncDisposable).IsAssignableFrom(type))
            && type is { IsAbstract: false, IsInterface: false, IsValueType: false }
            && !typeof(IEnumerator).IsAssignableFrom(type) && !type.IsDefined(typeof(CompilerGeneratedAttribute)) && !type.Name.StartsWith('<'));

    [Fact]
    public void Every_owner_is_in_the_list() => Assert.Equal(
        string.Join('\n', _owners.Keys.Order(StringComparer.Ordinal)),
        string.Join('\n', AllOwners.Select(type => type.Name).Order(StringComparer.Ordinal)));

    [Fact]
    public async Task What_is_disposed_of_twice_gives_back_once()
    {
        foreach ((string name, Func<Task<object>> make) in _owners)
        {
            object owner = await make().WaitAsync(Limit);
            await DisposeAsync(owner).WaitAsync(Limit);

            // Whoever opens something now gets the numbers that were given back: the second time must leave them alone.
            List<EventDescriptor> strangers = [.. Enumerable.Range(0, 64).Select(_ => new EventDescriptor())];
            await DisposeAsync(owner).WaitAsync(Limit);
            Assert.All(strangers, one => Assert.True(File.Exists($"/proc/self/fd/{one.Descriptor}"), $"{name} closed what is another's"));
            strangers.ForEach(one => one.Dispose());
            foreach (object other in Enumerable.Reverse(_others))
            {
                await DisposeAsync(other).WaitAsync(Limit);
            }

            _others.Clear();
        }
    }

    [Fact]
    public void A_buffer_that_is_given_back_twice_is_not_two_connections()
    {
        BufferPool pool = new();
        IMemoryOwner<byte> given = pool.Rent(64);
        given.Dispose();
        given.Dispose();
        Assert.NotSame(pool.Rent(64), pool.Rent(64));
    }

    [Fact]
    public void The_file_of_a_socket_that_took_the_place_of_another_stays()
    {
        Endpoint endpoint = Endpoint.Parse($"ipc://{_folder["place.sock"]}");
        EventLoop loop = Loop();
        Listener first = Listener.Bind(loop, endpoint, 1, UnixFileMode.UserRead, _ => { })[0];
        Assert.False(first.IsUnreachable);
        File.Delete(endpoint.Path!);
        Assert.True(first.IsUnreachable);
        Listener second = Listener.Bind(loop, endpoint, 1, UnixFileMode.UserRead, _ => { })[0];
        first.Dispose();
        Assert.False(second.IsUnreachable);
        second.Dispose();
        Assert.False(File.Exists(endpoint.Path));
    }

    public void Dispose()
    {
        foreach (IDisposable other in _others.OfType<IDisposable>())
        {
            other.Dispose();
        }

        _folder.Dispose();
    }

    private static Task<object> Made(object owner) => Task.FromResult(owner);

    private static async Task DisposeAsync(object owner)
    {
        if (owner is IAsyncDisposable late)
        {
            await late.DisposeAsync();
        }
        else
        {
            ((IDisposable)owner).Dispose();
        }
    }

    private static object PartOf(object whole, string field) =>
        whole.GetType().GetField(field, BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(whole)!;

    private TlsIdentity Server()
    {
        TestCertificate server = new TestCertificates(_folder, $"ca{_others.Count}-{Guid.NewGuid():N}").IssueServer();
        return new TlsIdentity(server.CertificateFile, server.KeyFile);
    }

    private TlsConfig Tls()
    {
        TlsIdentity server = Server();
        return new TlsConfig { CertificateFile = server.CertificateFile, KeyFile = server.KeyFile };
    }

    private TlsContext Context() => TlsContext.ForServer(new TlsServerSettings(Server()));

    private TlsSession Session()
    {
        TlsContext context = Context();
        _others.Add(context);
        return context.TryAccept()!;
    }

    private SealKeys Keys()
    {
        SealKeys keys = new("caller");
        _others.Add(keys);
        return keys;
    }

    private EventLoop Loop()
    {
        EventLoop loop = new(NullLogger.Instance);
        _others.Add(loop);
        return loop;
    }

    private TreeWatcher Watcher() =>
        new(Loop(), new TreeOptions(_folder.Path, Recursive: true, ReportExisting: false), new NoChanges(), NullLogger.Instance);

    private WorkerProcess Worker()
    {
        ProcessLauncher launcher = new();
        _others.Add(launcher);
        return WorkerProcess.Start(launcher, new WorkerCommand("/bin/sleep", ["600"], new Dictionary<string, string>()));
    }

    private NodeEnd End()
    {
        WorkerProcess worker = Worker();
        _others.Add(worker);
        return new NodeEnd(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), worker, BeginPage.Create(1));
    }

    private NodeOptions Options() => new() { Loops = 1, Locator = null, LedgerDirectory = _folder["ledger"] };

    private CocaineNode Started()
    {
        CocaineNode node = new(Options());
        node.Start();
        return node;
    }

    private NodeConfig Config() => new()
    {
        StateFolder = _folder["state"],
        LedgerFolder = _folder["ledger"],
        ControlEndpoint = $"ipc://{_folder["daemon.sock"]}",
        ZeroMqControlEndpoint = "tcp://127.0.0.1:0",
        Locator = null,
        Loops = 1,
    };

    private static ChaosOptions Chaos() => new()
    {
        ManifestPath = Path.Combine(Repository.Root, "examples/echo/manifest.json"),
        Program = ["/bin/true"],
        Event = "echo",
    };

    private sealed class NoChanges : IFileChanges
    {
        public bool IsFull => false;

        public void Created(ReadOnlySpan<byte> name, bool isFolder)
        {
        }

        public void Modified(ReadOnlySpan<byte> name)
        {
        }

        public void Deleted(ReadOnlySpan<byte> name, bool isFolder)
        {
        }

        public void Moved(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, bool isFolder, bool replaced)
        {
        }
    }

    /// <summary>An app whose object fails when it is disposed of twice.</summary>
    private sealed class EndedApp : IDisposable
    {
        private bool _isEnded;

        [Worker.Event]
        public string Echo(string request) => _isEnded ? "" : request;

        public void Dispose()
        {
            Assert.False(_isEnded);
            _isEnded = true;
        }
    }
}
