using Cocaine.Fast.Backends.Rings;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.SharedMemory;
using Cocaine.Fast.Worker;
using Cocaine.Fast.Worker.Serving;
using Cocaine.Fast.Worker.SharedObjects;

namespace Cocaine.Fast.Backends.Threads;

/// <summary>
/// One slave that is a thread: rings in private memory, and on the other side the .NET SDK's loop or the loop of a C++ app.
/// </summary>
/// <remarks>
/// Safety: the thread and the loop share the segment; the loop frees the segment after the thread has ended. A thread that never ends keeps
/// it.
/// </remarks>
internal sealed class ThreadLink : SlaveLink
{
    private readonly ThreadBackend _backend;
    private readonly EventLoop _loop;
    private readonly Slave _slave;
    private readonly Segment _segment;
    private readonly EventDescriptor _nodeBell;
    private readonly EventDescriptor _slaveBell;
    private readonly RingPort _port;
    private volatile ISlaveLoop? _worker; // from the app's load to its end; the thread sets it
    private AppHost? _app;          // only the thread uses it; valid as long as the worker
    private bool _hasFlow;          // the thread sets it before it reports that the app is loaded
    private string? _killReason;
    private bool _ended;            // the thread has ended; only the loop uses it
    private volatile bool _killed;

    private ThreadLink(ThreadBackend backend, Slave slave, Segment segment, EventDescriptor nodeBell, EventDescriptor slaveBell)
    {
        _backend = backend;
        _loop = backend.Loop;
        _slave = slave;
        _segment = segment;
        _nodeBell = nodeBell;
        _slaveBell = slaveBell;
        _port = new RingPort(_loop, slave, _segment, _nodeBell, _slaveBell, reason => Kill($"broke its ring: {reason}"));
    }

    /// <summary>Starts a slave's thread. When a step fails, everything that was taken for the slave is given back.</summary>
    /// <exception cref="IOException">No descriptor or no memory is left, or too many threads of the app hang.</exception>
    public static ThreadLink Launch(ThreadBackend backend, Slave slave)
    {
        if (backend.Left.Threads >= LeftBehind.MostThreads)
        {
            throw new IOException(
                $"{backend.Left.Threads} threads of slaves that were given up still run in their handlers, and no thread can be ended from "
                + "outside: no more are started until one returns. Mend the handler and restart the node, or run the app with "
                + "\"backend\": \"process\", where a slave that hangs is killed");
        }

        EngineSettings settings = backend.App.Engine;
        EventDescriptor? nodeBell = null, slaveBell = null;
        Segment? segment = null;
        try
        {
            nodeBell = new EventDescriptor();
            slaveBell = new EventDescriptor();
            segment = Segment.Create(
                settings.PipeSizeBytes, slave.Generation, settings.SpinMicroseconds, shared: false, settings.Concurrency);
            ThreadLink link = new(backend, slave, segment, nodeBell, slaveBell);
            new Thread(link.Run) { Name = $"{backend.App.Name}-{slave.ShortId}", IsBackground = true }.Start();
            return link;
        }
        catch
        {
            segment?.Dispose();
            nodeBell?.Dispose();
            slaveBell?.Dispose();
            throw;
        }
    }

    public override MessageSink Sink => _port.Sink;

    public override long BacklogBytes => _port.BacklogBytes;

    public override bool PeerSpeaksBin => true;

    public override string Kind => "thread";

    public override int ProcessId => 0;

    public override bool TellsBegun => _port.Begun.AreTold;

    public override ulong Begun => _port.Begun.Last;

    public override int BeginRecall(out ulong begun) => _port.Begun.BeginRecall(out begun);

    public override bool HasFlow => _hasFlow;

    public override void Flush() => _port.Flush();

    public override void AskForRead() => _port.AskForRead();

    public override void PauseReading() => _port.PauseReading();

    public override void ResumeReading() => _port.ResumeReading();

    public override void Kill(string reason)
    {
        if (_killReason is not null || _ended)
        {
            return; // the bells are closed once the thread has ended
        }

        _killReason = reason;
        _killed = true;
        _slave.Scope.Counters.SlavesKilled++;
        _slave.OnKilled();
        _backend.Left.AddThread();
        string running = _worker?.Describe() is { Length: > 0 } told ? $"\n{told}" : "";
        ThreadLog.Abandoned(
            _backend.Log, _backend.App.Name, _slave.ShortId, reason, JobNames.Suffix(_slave.Channels.ToList()), _backend.Left.Threads,
            LeftBehind.MostThreads, running);
        _worker?.Abandon();
        _port.Begun.Stop(); // after it was abandoned: it finds both, and ends instead of beginning another job
        _port.Detach();
        _loop.Post(() => _slave.OnDead(reason));
    }

    private void Run()
    {
        string cause;
        try
        {
            cause = Serve();
        }
        catch (Exception failure)
        {
            cause = failure is AppLoadException ? failure.Message : FailureText.Reason(failure);
            if ((failure is AppLoadException ? failure.InnerException : failure) is { } inner)
            {
                ThreadLog.NotStarted(_backend.Log, _backend.App.Name, _slave.ShortId, FailureText.Details(inner));
            }
        }

        EndApp();
        _loop.Post(() => OnEnded(cause));
    }

    private string Serve()
    {
        ISlaveLoop worker = LoadApp();
        _worker = worker;
        _hasFlow = worker.HasFlow;
        if (_killed)
        {
            worker.Abandon();
        }

        _loop.Post(OnLoaded);
        return worker.Run() switch
        {
            WorkerExit.Terminated => "terminated",
            WorkerExit.Fault => "its request ring is broken",
            _ => "given up",
        };
    }

    private ISlaveLoop LoadApp()
    {
        AppManifest app = _backend.App;
        if (app.Type == AppType.Cpp)
        {
            return NativeApp.Load(app.Code.Source).Open(app, _slave.Uuid, _segment, _slaveBell, _nodeBell);
        }

        AppIdentity context = new(app.Name, _slave.Uuid, app.Version) { Locator = _backend.Locator.Endpoint };
        _app = AppHost.Load(app.Code.Source, context);
        return new RingWorker(_app, _segment, _slaveBell, _nodeBell)
        {
            HeartbeatMs = app.Engine.HeartbeatPeriodMs,
        };
    }

    /// <summary>The slave's loop has ended: the app is disposed, and nothing here refers to its code any more.</summary>
    private void EndApp()
    {
        _worker = null;
        if (_app?.End() is { } code && _backend.Left.AddCode(code) is > 0 and int left)
        {
            ThreadLog.CodeStays(_backend.Log, _backend.App.Name, left);
        }

        _app = null;
    }

    private void OnLoaded()
    {
        if (!_killed)
        {
            try
            {
                _port.Open();
            }
            catch (IOException failure)
            {
                Kill($"its bell cannot be watched: {failure.Message}");
                return;
            }

            _slave.OnReady();
        }
    }

    private void OnEnded(string cause)
    {
        _port.DrainAnswers();
        _slave.OnDead(_killReason ?? cause);
        _port.Close();
        if (_killed)
        {
            _backend.Left.RemoveThread();
            ThreadLog.EndedLate(_backend.Log, _backend.App.Name, _slave.ShortId, _backend.Left.Threads);
        }

        _ended = true;
    }
}
