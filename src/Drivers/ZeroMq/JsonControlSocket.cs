using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;
using NetMQ.Sockets;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// The socket of the JSON control protocol of 2012: [route…, "", request] and perhaps a signature, answered by [route…, "", answer]. What
/// the requests mean is for whoever answers them, in its own time.
/// </summary>
internal sealed class JsonControlSocket
{
    /// <summary>Requests that are answered at once: people and their scripts have a few; more are told so.</summary>
    private const int MaxPending = 64;

    /// <summary>Requests that may wait in ZeroMQ, of each peer.</summary>
    private const int HighWaterMark = 64;

    private static readonly byte[] TooMany = "{\"error\":\"too many requests are under way\"}"u8.ToArray();
    private static readonly byte[] Late = "{\"error\":\"no answer in time: the request may still be carried out\"}"u8.ToArray();
    private static readonly byte[] Faulty = "{\"error\":\"an internal fault: see the node's log\"}"u8.ToArray();

    private readonly RouteTable _routes = new();
    private readonly EventLoop _loop;
    private readonly ZeroMqSocket _socket;
    private readonly ILogger _log;
    private readonly Func<byte[], Task<byte[]>> _answer;
    private readonly TimeSpan _patience;
    private int _pending; // the loop's

    /// <param name="answer">Gives the answer to a request, on any thread; what it throws is logged, and the peer told so.</param>
    /// <param name="patience">After this the peer is told that there is no answer, and the request counts no longer.</param>
    public JsonControlSocket(
        ZeroMqPoller poller, EventLoop loop, ILogger log, Func<byte[], Task<byte[]>> answer, TimeSpan patience)
    {
        _patience = patience;
        _loop = loop;
        _log = log;
        _answer = answer;
        _socket = new ZeroMqSocket(poller, loop, "control", log, OnBatch, total => ZeroMqLog.ControlAnswersDropped(log, total));
    }

    public IReadOnlyList<string> Endpoints => _socket.Endpoints;

    /// <summary>Binds; on the loop.</summary>
    /// <exception cref="IOException">The endpoint cannot be used.</exception>
    public void Open(string endpoint) => _socket.Open(new ZeroMqSocketOptions(
        () =>
        {
            RouterSocket socket = new();
            socket.Options.RouterMandatory = true; // else it would not say what it drops
            return socket;
        },
        [endpoint], Connects: false, HighWaterMark, LingerMs: 0));

    /// <summary>Takes no more requests; from any thread.</summary>
    public void Close() => _loop.Post(() =>
    {
        _socket.Input.Stop();
        _socket.Close();
    });

    private void OnBatch(MessageBatch batch)
    {
        try
        {
            for (; batch.TryPeek(out FrameList message); batch.Skip())
            {
                Route route = _routes.Find(message, out int body);
                if (body < 0 || body == message.Count)
                {
                    ZeroMqLog.CorruptedControl(_log); // as in 2012: without a route and a request there is nothing to answer
                }
                else if (_pending == MaxPending)
                {
                    Send(route, TooMany);
                }
                else
                {
                    // what follows the request is a signature, which version 2 does not have
                    new PendingRequest(this, route).Begin(message[body].ToArray());
                }
            }
        }
        finally
        {
            _socket.Input.Return(batch);
        }
    }

    private void Send(Route route, byte[] answer)
    {
        if (_socket.Output.TryBegin(route))
        {
            _socket.Output.AddShared(answer, more: false);
        }
    }

    /// <summary>A request from its arrival to its one answer: what was found out, that it failed, or that it takes too long.</summary>
    private sealed class PendingRequest(JsonControlSocket socket, Route route) : WheelTimer
    {
        private bool _answered; // the loop's

        public void Begin(byte[] request)
        {
            socket._pending++;
            route.Pending++;
            socket._loop.Timers.Arm(this, socket._loop.NowMs + (long)socket._patience.TotalMilliseconds);
            Task<byte[]> answer;
            try
            {
                answer = socket._answer(request);
            }
            catch (Exception fault)
            {
                answer = Task.FromException<byte[]>(fault);
            }

            // Without an await: its rest would go to the thread pool, which is the apps' as well and may be full.
            answer.ContinueWith(
                OnDone, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        public override void OnDue(long nowMs)
        {
            ZeroMqLog.ControlLate(socket._log, (long)socket._patience.TotalSeconds);
            Answer(Late);
        }

        private void OnDone(Task<byte[]> answer)
        {
            if (!answer.IsCompletedSuccessfully)
            {
                ZeroMqLog.ControlFault(socket._log, answer.Exception?.InnerException ?? new OperationCanceledException());
            }

            byte[] bytes = answer.IsCompletedSuccessfully ? answer.Result : Faulty;
            socket._loop.Post(() => Answer(bytes));
        }

        /// <summary>Once; on the loop.</summary>
        private void Answer(byte[] bytes)
        {
            if (!_answered)
            {
                _answered = true;
                socket._loop.Timers.Cancel(this);
                socket._pending--;
                route.Pending--;
                socket.Send(route, bytes);
            }
        }
    }
}
