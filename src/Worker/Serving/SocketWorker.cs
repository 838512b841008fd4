using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Worker.Serving;

/// <summary>A worker's loop over its socket, used when there is no pipe: the same session, driven by an event loop.</summary>
internal sealed class SocketWorker : MessageConnection
{
    private readonly WorkerSession _session;
    private readonly HeartbeatTimer _heartbeat;
    private readonly int _heartbeatMs;
    private readonly SessionTask _task;
    private readonly Action _runSession;

    private SocketWorker(EventLoop loop, int descriptor, AppHost app, int heartbeatMs)
        : base(loop, descriptor, ProtocolLimits.Default)
    {
        _session = new WorkerSession(app, new LoopBell(this), Output, () => Output.PendingBytes);
        _heartbeat = new HeartbeatTimer(this);
        _heartbeatMs = heartbeatMs;
        _task = new SessionTask(this);
        _runSession = RunSession;
    }

    private WorkerExit Exit { get; set; } = WorkerExit.Abandoned;

    /// <summary>Serves on the calling thread until the end. The caller has made the handshake and sent the first heartbeat.</summary>
    public static WorkerExit Run(EventLoop loop, int descriptor, AppHost app, int heartbeatMs)
    {
        SocketWorker worker = new(loop, descriptor, app, heartbeatMs);
        StackReport.Jobs = worker._session.Describe;
        worker.Open();
        loop.Timers.Arm(worker._heartbeat, loop.NowMs + heartbeatMs);
        loop.Run();
        worker._session.Close();
        return worker.Exit;
    }

    protected override void OnMessage(in MessageView message, HeaderStatus headers)
    {
        _session.Take(in message);
        if (_session.IsFull())
        {
            PauseReading();
        }

        if (!_task.Scheduled)
        {
            Loop.ScheduleBell(_task);
        }
    }

    protected override void OnMalformed(ulong? channel, int code, string problem)
    {
        Console.Error.WriteLine($"the node sent what is no message: {problem}");
        Exit = WorkerExit.Fault;
    }

    protected override void OnClosed(string reason) => Loop.Stop();

    protected override void OnSent() => RunSession();

    private void RunSession()
    {
        _session.DoPosted();
        _session.StartPending();
        if (IsReadingPaused && !_session.IsFull())
        {
            ResumeReading();
        }

        if (Output.PendingBytes > 0)
        {
            ScheduleSend();
        }
        else if (_session.IsDone)
        {
            Exit = WorkerExit.Terminated;
            Loop.Stop();
        }
    }

    private sealed class SessionTask(SocketWorker worker) : TurnTask
    {
        public override void OnTurnEnd() => worker.RunSession();
    }

    private sealed class HeartbeatTimer(SocketWorker worker) : WheelTimer
    {
        public override void OnDue(long nowMs)
        {
            MessageWriter.WriteHeartbeat(worker.Output);
            worker.ScheduleSend();
            worker.Loop.Timers.Arm(this, nowMs + worker._heartbeatMs);
        }
    }

    /// <summary>Turns calls of other threads into posted work.</summary>
    private sealed class LoopBell(SocketWorker worker) : Core.Rings.Doorbell
    {
        public override void Ring() => worker.Loop.Post(worker._runSession);
    }
}
