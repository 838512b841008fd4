using Cocaine.Fast.Backends.Languages;
using Cocaine.Fast.Backends.Rings;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Limits;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.SharedMemory;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Backends.Processes;

/// <summary>
/// One worker process: its launch, its socket, its pipe when it asked for one, its output and its end. Lives on the engine's loop.
/// </summary>
/// <remarks>Safety: owns the pidfd, the socket's listener and, through them, every descriptor of this worker; <see cref="Finish"/>
/// closes them all.</remarks>
internal sealed class ProcessLink : SlaveLink
{
    private readonly ProcessBackend _backend;
    private readonly EventLoop _loop;
    private readonly Slave _slave;
    private readonly Listener? _listener;
    private readonly ExitWatch _exit;
    private readonly OrphanTimer _orphan;
    private readonly LastWords _lastWords;
    private WorkerLines? _lines;
    private CapturedOutput? _output;
    private CapturedOutput? _errors;
    private WorkerConnection? _connection;
    private RingPort? _ring;
    private BeginPage? _page;      // what the worker has begun, beside the socket; valid once the launch was asked for
    private IWorkerWay? _way;      // the rings, or the socket of a worker without rings; valid once the worker is connected
    private StartedProcess _process; // valid once the process was started
    private string? _killReason;   // set once the node decided to kill the worker
    private bool _finished;
    private bool _hasFlow;         // both sides know flow control; valid once the worker is ready
    private bool _settled;         // the launch has opened all its descriptors, and they are counted as open

    public ProcessLink(ProcessBackend backend, Slave slave)
    {
        _backend = backend;
        _loop = backend.Loop;
        _slave = slave;
        _exit = new ExitWatch(this);
        _orphan = new OrphanTimer(this);
        _lastWords = new LastWords(_loop, backend.App.Type == AppType.JavaScript, KillGroup);
        NodeRoom.Launch(backend.TasksOfWorker);
        try
        {
            string path = backend.SocketPath(slave.ShortId);
            WorkerCommand command = backend.Commands.For(backend.App, backend.Confinement, slave.Uuid, path, backend.Locator);
            Endpoint endpoint = Endpoint.Parse("ipc://" + path);
            _listener = Listener.Bind(_loop, endpoint, 1, UnixFileMode.UserRead | UnixFileMode.UserWrite, OnConnected,
                mayUseReserve: true)[0];
            backend.Admit(path);
            _listener.Open();
            _page = BeginPage.Create(backend.App.Engine.Concurrency);
            backend.Launcher.Start(
                command with { BeginPage = _page.Descriptor },
                process => _loop.Post(() => OnStarted(process)),
                reason => _loop.Post(() => Finish(reason)));
        }
        catch (Exception failure)
        {
            _loop.Post(() => Finish(failure.Message)); // any failure: the end gives everything back that was taken until then, once
        }
    }

    public override MessageSink Sink => _way!.Sink;

    public override long BacklogBytes => _way?.BacklogBytes ?? 0;

    public override bool PeerSpeaksBin => _way is { PeerSpeaksBin: true };

    public override string Kind => _way?.Kind ?? "socket";

    public override int ProcessId => _process.ProcessId;

    public override long ReadRssBytes() => ProcessId > 0 ? ProcessMemory.ResidentBytes(ProcessId) : 0;

    public override IReadOnlyList<string> LastLines => [.. _output?.LastLines ?? [], .. _errors?.LastLines ?? []];

    public override bool IsBlocked => _way is { IsBlocked: true };

    public override bool TellsBegun => _way is { Begun.AreTold: true };

    public override ulong Begun => _way?.Begun?.Last ?? ulong.MaxValue;

    public override int BeginRecall(out ulong begun) => _way!.Begun!.BeginRecall(out begun);

    public override bool HasFlow => _hasFlow;

    public override void Flush() => _way?.Flush();

    public override void AskForRead() => _way?.AskForRead();

    public override void PauseReading() => _way?.PauseReading();

    public override void ResumeReading() => _way?.ResumeReading();

    public override void Kill(string reason)
    {
        if (TryCondemn(reason) || _lastWords.IsArmed)
        {
            KillGroup();
        }
    }

    /// <summary>
    /// The worker gets a moment to print the stacks of its hung handlers: its SDK does so at SIGUSR2. Its jobs have had their errors
    /// before, and it gets no more jobs. A worker without a handler for the signal ends by the signal.
    /// </summary>
    public override void KillHung(string reason)
    {
        if (TryCondemn(reason) && ProcessId > 0)
        {
            _lastWords.Begin(ProcessId);
        }
    }

    /// <summary>The worker has shown its uuid, and lists its wishes; null when it waits for no answer.</summary>
    private void OnHandshake(WorkerOffer? wanted)
    {
        int concurrency = ConcurrencyFor(wanted ?? default);
        if (wanted is { } offer && !(offer.Pipe && TryHandOver(offer with { Begin = false }, concurrency)))
        {
            concurrency = offer.Begin ? concurrency : _backend.App.Engine.Concurrency;
            _page!.SetMostBegun(concurrency);
            _connection!.Begun = offer.Begin ? new BegunJobs(_slave, _page.Words) : null;
            MessageWriter.WriteGrant(_connection.Output, offer with { Pipe = false });
            _connection.ScheduleSend();
        }

        _hasFlow = wanted is { Flow: true };

        _lines?.OnReady();
        Settle();
        _slave.OnReady(concurrency);
    }

    /// <summary>
    /// The worker closed its socket, usually because it has ended; then its pidfd tells the end with the cause a moment later. If the
    /// worker lives on, the link ends it.
    /// </summary>
    private void OnSocketClosed()
    {
        if (!_finished && _killReason is null && _slave.State != SlaveState.Draining)
        {
            _loop.Patience.Arm(_orphan, _loop.ListenedMs + OrphanTimer.GraceMs);
        }
    }

    /// <summary>From here on the worker is being killed; false when it was being killed before, or is gone.</summary>
    private bool TryCondemn(string reason)
    {
        if (_killReason is not null || _finished)
        {
            return false;
        }

        _killReason = reason;
        _slave.Scope.Counters.SlavesKilled++;
        _slave.OnKilled();
        ProcessLog.Killed(
            _backend.Log, _backend.App.Name, _slave.ShortId, reason, JobNames.Suffix(_slave.Channels.ToList()));
        return true;
    }

    /// <summary>Kills the whole group, so that the worker's children go with it.</summary>
    private void KillGroup()
    {
        _loop.Timers.Cancel(_lastWords);
        if (ProcessId > 0)
        {
            ProcessLauncher.Kill(in _process);
        }
    }

    /// <summary>
    /// The manifest's concurrency, or what the worker wishes for where the manifest does not say. A wish needs a worker that tells what it
    /// has begun: otherwise nobody would notice jobs that one handler holds up.
    /// </summary>
    private int ConcurrencyFor(WorkerOffer offer)
    {
        EngineSettings settings = _backend.App.Engine;
        bool hasWish = offer.Concurrency > 0 && (offer.Pipe || offer.Begin) && !settings.IsConcurrencySet;
        return hasWish ? Math.Min(offer.Concurrency, EngineLimits.MostWishedConcurrency) : settings.Concurrency;
    }

    private bool TryHandOver(WorkerOffer granted, int concurrency)
    {
        Segment? segment = null;
        EventDescriptor? nodeBell = null, workerBell = null;
        try
        {
            EngineSettings settings = _backend.App.Engine;
            segment = Segment.Create(
                settings.PipeSizeBytes, _slave.Generation, settings.SpinMicroseconds, shared: true, concurrency);
            nodeBell = new EventDescriptor();
            workerBell = new EventDescriptor();
            MemorySink grant = new(64);
            MessageWriter.WriteGrant(grant, granted);
            if (!DescriptorPassing.TrySend(
                    _connection!.Descriptor, grant.Written, [segment.Descriptor, workerBell.Descriptor, nodeBell.Descriptor]))
            {
                throw LibC.Failure("sendmsg");
            }

            segment.CloseDescriptor();
            _ring = new RingPort(_loop, _slave, segment, nodeBell, workerBell, reason => Kill($"broke its pipe: {reason}"));
            _way = _ring;
            _connection.OnPipe = true;
            _page!.Dispose();
            _ring.Open();
            return true;
        }
        catch (IOException failure)
        {
            ProcessLog.NoPipe(_backend.Log, _backend.App.Name, _slave.ShortId, failure.Message);
            segment?.Dispose();
            nodeBell?.Dispose();
            workerBell?.Dispose();
            return false;
        }
    }

    private void OnStarted(StartedProcess process)
    {
        _process = process;
        _page!.CloseDescriptor();
        _lines = new WorkerLines(_backend.Starts, _backend.Log, _backend.App.Name, _slave.ShortId);
        _output = new CapturedOutput(_loop, process.Output, line => _lines.Add(isError: false, line));
        _errors = new CapturedOutput(_loop, process.Errors, line => _lines.Add(isError: true, line));
        _output.Open();
        _errors.Open();
        _exit.Open(process.ProcessDescriptor);
        if (_killReason is not null)
        {
            ProcessLauncher.Kill(in _process); // the worker was given up while it was being started
        }
    }

    private void OnConnected(int descriptor)
    {
        if (_connection is not null || _finished)
        {
            _ = LibC.close(descriptor);
            return;
        }

        _listener!.Dispose(); // a worker has one connection; the socket's file goes away with the listener
        _way = _connection = new WorkerConnection(_loop, descriptor, _slave, OnHandshake, Kill, OnSocketClosed);
        _connection.Open();
    }

    /// <summary>The process has ended.</summary>
    private void OnExit(ProcessEnd end)
    {
        string how = end.IsKill && _killReason is null ? $"{end}, {_backend.MemoryKills.Explain()}" : end.ToString();
        _way?.DrainAnswers(); // answers that the worker published before it died are answers
        _output?.Finish();
        _errors?.Finish();
        string cause = _killReason is null ? how : $"{_killReason}; {how}";
        if (_slave.State == SlaveState.Starting && _errors is not null)
        {
            string last = string.Join('\n', LastLines);
            cause = last.Length > 0 ? $"{cause}\n{last}" : cause;
            _lines!.OnStartFailed(cause);
        }
        else
        {
            _lines?.OnEnd();
        }

        Finish(cause, end.BySignal);
    }

    private void Finish(string cause, bool bySignal = false)
    {
        if (_finished)
        {
            return;
        }

        _finished = true;
        Settle();
        _loop.Patience.Cancel(_orphan);
        _loop.Timers.Cancel(_lastWords);
        _slave.OnDead(cause, bySignal);
        _listener?.Dispose();
        _ring?.Close();
        _connection?.Begun?.Stop(); // later questions find the page gone
        _page?.Dispose();
        _connection?.Close("the worker has ended");
    }

    private void Settle()
    {
        if (!_settled)
        {
            _settled = true;
            NodeRoom.Settle(_backend.TasksOfWorker);
        }
    }

    /// <summary>Ends a worker that lives on without its socket.</summary>
    private sealed class OrphanTimer(ProcessLink link) : WheelTimer
    {
        public const int GraceMs = 50;

        public override void OnDue(long nowMs)
        {
            link._way?.DrainAnswers();
            link.Kill("closed its socket");
        }
    }

    /// <summary>Sees the end of the process at once and without polling: the pidfd becomes readable then. See pidfd_open(2).</summary>
    private sealed class ExitWatch(ProcessLink link) : LoopHandler
    {
        private int _descriptor = -1;

        public void Open(int descriptor)
        {
            _descriptor = descriptor;
            link._loop.Watch(this, descriptor, Epoll.In);
        }

        public override void OnReady(uint events)
        {
            link._loop.Forget(this, _descriptor); // first, because the end closes it
            if (link._backend.Launcher.TakeEnd(in link._process) is not { } end)
            {
                link._loop.Watch(this, _descriptor, Epoll.In); // level-triggered: the event comes again
                return;
            }

            _descriptor = -1;
            link.OnExit(end);
        }
    }
}
