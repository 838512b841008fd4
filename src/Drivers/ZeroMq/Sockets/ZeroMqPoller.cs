using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;
using NetMQ;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>
/// The one thread of a node that touches ZeroMQ sockets. Loops post work to the poller, and the poller posts batches of messages to loops.
/// Neither ever waits for the other, except in <see cref="Invoke"/> at an app's start.
/// </summary>
internal sealed class ZeroMqPoller : IDisposable
{
    /// <summary>Binding takes microseconds; a poller that does not answer for so long is stuck.</summary>
    private static readonly TimeSpan InvokeTimeout = TimeSpan.FromSeconds(10);

    private readonly WorkQueue _work = new();
    private readonly NetMQQueue<bool> _wake = new();
    private readonly NetMQPoller _poller;
    private readonly HashSet<NetMQSocket> _sockets = []; // only the poller uses it
    private readonly ILogger _log;
    private readonly Action<Exception> _report;
    private int _disposed; // 1 from the first Dispose on

    /// <summary>The node's poller, made when the first driver asks for it.</summary>
    /// <exception cref="IOException">The node has no poller.</exception>
    public static ZeroMqPoller Of(AppScope scope) =>
        scope.Get<ZeroMqPoller>(static () => throw new IOException("this node has no ZeroMQ thread"));

    public ZeroMqPoller(ILogger log)
    {
        _log = log;
        _report = Report;
        _poller = [_wake];
        _wake.ReceiveReady += (_, _) => RunWork();
        _poller.RunAsync("zeromq", isBackgroundThread: true);
    }

    /// <summary>Runs work on the poller's thread, from any thread. Work that is posted in one burst wakes the poller once.</summary>
    public void Post(LoopWork work)
    {
        if (_work.Add(work))
        {
            _wake.Enqueue(true);
        }
    }

    /// <summary>Runs an action on the poller's thread and waits for it; only for rare calls.</summary>
    /// <exception cref="IOException">The poller does not answer. An exception of the action itself is thrown as it is.</exception>
    public void Invoke(Action action)
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(new ActionWork(() =>
        {
            try
            {
                action();
                done.SetResult();
            }
            catch (Exception failure)
            {
                done.SetException(failure);
            }
        }));
        if (!((IAsyncResult)done.Task).AsyncWaitHandle.WaitOne(InvokeTimeout))
        {
            throw new IOException($"the ZeroMQ thread did not answer for {InvokeTimeout.TotalSeconds} s");
        }

        done.Task.GetAwaiter().GetResult();
    }

    /// <summary>Polls a socket from now on; on the poller's thread.</summary>
    public void Add(NetMQSocket socket)
    {
        _sockets.Add(socket);
        _poller.Add(socket);
    }

    /// <summary>Stops polling a socket; on the poller's thread.</summary>
    public void Remove(NetMQSocket socket)
    {
        _sockets.Remove(socket);
        _poller.Remove(socket);
    }

    /// <summary>
    /// Logs an exception of a handler on the poller's thread. The exception must not go further: it would end the thread, and with it the
    /// process.
    /// </summary>
    public void Report(Exception fault) => ZeroMqLog.PollerFault(_log, fault);

    /// <summary>Ends the thread after the work that was posted before, and closes the sockets that their owners left open.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }

        Invoke(() =>
        {
            foreach (NetMQSocket socket in _sockets.ToArray())
            {
                Remove(socket);
                socket.Dispose();
            }
        });
        _poller.Stop();
        _poller.Dispose();
        _wake.Dispose();
    }

    /// <summary>Shuts NetMQ down in this process; returns when every closed socket has sent its messages or its linger is over.</summary>
    public static void EndAll() => NetMQConfig.Cleanup(block: true);

    private void RunWork()
    {
        while (_wake.TryDequeue(out _, TimeSpan.Zero))
        {
            // The signals are taken first: work that is posted after the queue is taken below brings its own signal.
        }

        _work.RunAll(_report);
    }
}
