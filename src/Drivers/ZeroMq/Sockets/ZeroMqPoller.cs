using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;
using NetMQ;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>
/// The one thread of a node that touches ZeroMQ sockets. Loops post work to it and it posts batches of messages to them: neither ever
/// waits for the other, but for <see cref="Invoke"/> at an app's start.
/// </summary>
internal sealed class ZeroMqPoller : IDisposable
{
    /// <summary>Binding takes microseconds; a poller that does not answer for so long is stuck.</summary>
    private static readonly TimeSpan InvokeTimeout = TimeSpan.FromSeconds(10);

    private readonly WorkQueue _work = new();
    private readonly NetMQQueue<bool> _wake = new();
    private readonly NetMQPoller _poller;
    private readonly HashSet<NetMQSocket> _sockets = []; // the poller's
    private readonly ILogger _log;
    private readonly Action<Exception> _report;
    private int _disposed; // 1 from the first Dispose on

    /// <summary>The node's, made when its first driver asks for it.</summary>
    /// <exception cref="IOException">The node has none.</exception>
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

    /// <summary>Runs work on the poller's thread. From any thread; what is posted in one burst wakes it once.</summary>
    public void Post(LoopWork work)
    {
        if (_work.Add(work))
        {
            _wake.Enqueue(true);
        }
    }

    /// <summary>Runs an action on the poller's thread and waits for it: for what is not hot.</summary>
    /// <exception cref="IOException">The poller does not answer. An exception of the action itself comes through as it is.</exception>
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
    /// What a handler on the poller's thread threw: it must not go further, or the thread, and with it the process, would end.
    /// </summary>
    public void Report(Exception fault) => ZeroMqLog.PollerFault(_log, fault);

    /// <summary>Ends the thread after what was posted before, and closes the sockets that their owners left open.</summary>
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

    /// <summary>Shuts NetMQ down in this process; returns when every closed socket has sent what it had or its linger is over.</summary>
    public static void EndAll() => NetMQConfig.Cleanup(block: true);

    private void RunWork()
    {
        while (_wake.TryDequeue(out _, TimeSpan.Zero))
        {
            // All signals first: what is posted after the queue is taken below brings its own.
        }

        _work.RunAll(_report);
    }
}
