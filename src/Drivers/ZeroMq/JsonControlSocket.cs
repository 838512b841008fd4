using System.Numerics;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Drivers.ZeroMq.Wire;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// The socket of the JSON control protocol of 2012: [route…, "", request] and perhaps a signature, answered by [route…, "", answer]. The
/// answering part gives the requests their meaning, in its own time.
/// </summary>
internal sealed class JsonControlSocket
{
    /// <summary>The most requests under way: people and their scripts have a few; further requests get an error.</summary>
    private const int MaxPending = 64;

    /// <summary>The most answers that wait for each peer.</summary>
    private const int HighWaterMark = 64;

    private static readonly byte[] TooMany = "{\"error\":\"too many requests are under way\"}"u8.ToArray();
    private static readonly byte[] Late = "{\"error\":\"no answer in time: the request may still be carried out\"}"u8.ToArray();
    private static readonly byte[] Faulty = "{\"error\":\"an internal fault: see the node's log\"}"u8.ToArray();

    private readonly RouteTable _routes = new();
    private readonly EventLoop _loop;
    private readonly ZeroMqSocket _socket;
    private readonly ILogger _log;
    private readonly Func<byte[], byte[], Task<byte[]>> _answer;
    private readonly TimeSpan _patience;
    private int _pending;    // only the loop uses it
    private long _corrupted; // only the loop uses it

    /// <param name="answer">
    /// Gives the answer to a request and its signature, which may be empty, on any thread. An exception is logged, and the peer gets an
    /// error.
    /// </param>
    /// <param name="patience">After this time the peer is told that there is no answer, and the request no longer counts.</param>
    public JsonControlSocket(
        ClosingSockets closing, EventLoop loop, ILogger log, Func<byte[], byte[], Task<byte[]>> answer, TimeSpan patience)
    {
        _patience = patience;
        _loop = loop;
        _log = log;
        _answer = answer;
        _socket = new ZeroMqSocket(
            loop, SocketKind.Router, "control", log, closing, OnMessage, total => ZeroMqLog.ControlAnswersDropped(log, total));
    }

    public IReadOnlyList<string> Endpoints => _socket.Endpoints;

    /// <summary>Binds; on the loop.</summary>
    /// <exception cref="IOException">The endpoint cannot be used.</exception>
    public void Open(string endpoint) => _socket.Open(new ZeroMqSocketOptions([endpoint], HighWaterMark));

    /// <summary>Takes no more requests; from any thread.</summary>
    public void Close() => _loop.Post(_socket.Close);

    private bool OnMessage(ZeroMqConnection peer, FrameList message)
    {
        Route route = _routes.Find(peer.Identity, message, out int body);
        if (body < 0 || body == message.Count)
        {
            if (BitOperations.IsPow2(++_corrupted))
            {
                ZeroMqLog.CorruptedControl(_log, _corrupted); // as in 2012: without a route and a request no answer is possible
            }
        }
        else if (_pending == MaxPending)
        {
            Send(route, TooMany);
        }
        else
        {
            // the frame after the request is a signature, which version 2 does not have
            new PendingRequest(this, route).Begin(message[body].ToArray(), body + 1 < message.Count ? message[body + 1].ToArray() : []);
        }

        return true;
    }

    private void Send(Route route, byte[] answer)
    {
        if (_socket.Output.TryBegin(route))
        {
            _socket.Output.Add(answer, more: false);
        }
    }

    /// <summary>A request from its arrival to its one answer: the result, a failure, or the news that the request takes too long.</summary>
    private sealed class PendingRequest(JsonControlSocket socket, Route route) : WheelTimer
    {
        private bool _answered; // only the loop uses it

        public void Begin(byte[] request, byte[] signature)
        {
            socket._pending++;
            route.Pending++;
            socket._loop.Timers.Arm(this, socket._loop.NowMs + (long)socket._patience.TotalMilliseconds);
            Task<byte[]> answer;
            try
            {
                answer = socket._answer(request, signature);
            }
            catch (Exception fault)
            {
                answer = Task.FromException<byte[]>(fault);
            }

            // Without an await: the rest of the method would go to the thread pool, which apps use too and which may be full.
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
