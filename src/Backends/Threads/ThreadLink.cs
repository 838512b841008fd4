using Cocaine.Fast.Backends.Rings;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Engine.Handling;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.SharedMemory;
using Cocaine.Fast.Worker;
using Cocaine.Fast.Worker.Native;
using Cocaine.Fast.Worker.Serving;

namespace Cocaine.Fast.Backends.Threads;

/// <summary>One slave that is a thread: rings in private memory, the .NET SDK's loop or a C++ app's own on the other side.</summary>
/// <remarks>
/// Safety: the thread and the loop share the segment; it is freed by the loop after the thread has ended. A thread that never ends
/// keeps it.
/// </remarks>
internal sealed class ThreadLink : SlaveLink
{
    private readonly ThreadBackend _backend;
    private readonly EventLoop _loop;
    private readonly Slave _slave;
    private readonly Segment _segment;
    private readonly EventDescriptor _nodeBell = new();
    private readonly EventDescriptor _slaveBell = new();
    private readonly RingPort _port;
    private ISlaveLoop? _worker;    // set by the thread once the app is loaded
    private string? _killReason;
    private volatile bool _killed;

    public ThreadLink(ThreadBackend backend, Slave slave)
    {
        _backend = backend;
        _loop = backend.Loop;
        _slave = slave;
        EngineSettings settings = backend.App.Engine;
        int spin = settings.SpinMicroseconds ?? (Environment.ProcessorCount > 4 ? 20 : 0);
        _segment = Segment.Create(settings.PipeSizeBytes, slave.Generation, spin, shared: false);
        _port = new RingPort(_loop, slave, _segment, _nodeBell, _slaveBell, reason => Kill($"broke its ring: {reason}"));
        Thread thread = new(Run) { Name = $"{backend.App.Name}-{slave.ShortId}", IsBackground = true };
        thread.Start();
    }

    public override MessageSink Sink => _port.Sink;

    public override long BacklogBytes => _port.BacklogBytes;

    public override bool PeerSpeaksBin => true;

    public override string Kind => "thread";

    public override int ProcessId => 0;

    public override void Flush() => _port.Flush();

    public override void PauseReading() => _port.PauseReading();

    public override void ResumeReading() => _port.ResumeReading();

    public override void Kill(string reason)
    {
        if (_killReason is not null)
        {
            return;
        }

        _killReason = reason;
        _killed = true;
        _slave.Engine.Counters.SlavesKilled++;
        _slave.OnKilled();
        ThreadLog.Abandoned(
            _backend.Log, _backend.App.Name, _slave.ShortId, reason, JobNames.Suffix(_slave.Channels.ToList()));
        _worker?.Abandon();
        _port.Detach();
        _loop.Post(() => _slave.OnDead(reason));
    }

    private void Run()
    {
        string cause;
        try
        {
            ISlaveLoop worker = LoadApp();
            _worker = worker;
            if (_killed)
            {
                worker.Abandon();
            }

            _loop.Post(OnLoaded);
            cause = worker.Run() switch
            {
                WorkerExit.Terminated => "terminated",
                WorkerExit.Fault => "its request ring is broken",
                _ => "given up",
            };
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            cause = failure is AppLoadException ? failure.Message : failure.ToString();
        }

        _loop.Post(() => OnEnded(cause));
    }

    private ISlaveLoop LoadApp()
    {
        AppManifest app = _backend.App;
        if (app.Type == AppType.Cpp)
        {
            return NativeApp.Load(app.Code.Source).Open(app, _slave.Uuid, _segment, _slaveBell, _nodeBell);
        }

        Worker.AppContext context = new(app.Name, _slave.Uuid, app.Version);
        return new RingWorker(AppHost.Load(app.Code.Source, context), _segment, _slaveBell, _nodeBell)
        {
            HeartbeatMs = app.Engine.HeartbeatPeriodMs,
        };
    }

    private void OnLoaded()
    {
        if (!_killed)
        {
            _port.Open();
            _slave.OnReady();
        }
    }

    private void OnEnded(string cause)
    {
        _port.DrainAnswers();
        _slave.OnDead(_killReason ?? cause);
        _port.Close();
    }
}
