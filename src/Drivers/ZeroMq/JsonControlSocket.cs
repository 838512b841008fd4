using System.Text;
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

    private readonly RouteTable _routes = new();
    private readonly EventLoop _loop;
    private readonly ZeroMqSocket _socket;
    private readonly ILogger _log;
    private readonly Func<byte[], Task<byte[]>> _answer;
    private int _pending; // the loop's

    /// <param name="answer">Gives the answer to a request, on any thread; what it throws is logged, and the peer told so.</param>
    public JsonControlSocket(ZeroMqPoller poller, EventLoop loop, ILogger log, Func<byte[], Task<byte[]>> answer)
    {
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
        _socket.StopReceiving();
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
                    _pending++;
                    route.Pending++;
                    Answer(route, message[body].ToArray()); // what follows is a signature, which version 2 does not have
                }
            }
        }
        finally
        {
            _socket.Return(batch);
        }
    }

    // Without an await: its rest would go to the thread pool, which is the apps' as well and may be full.
    private void Answer(Route route, byte[] request) => _answer(request).ContinueWith(
        answered =>
        {
            byte[] answer = answered.IsCompletedSuccessfully ? answered.Result
                : Encoding.UTF8.GetBytes("{\"error\":\"an internal fault: see the node's log\"}");
            if (answered.Exception?.InnerException is { } fault)
            {
                ZeroMqLog.ControlFault(_log, fault);
            }

            _loop.Post(() =>
            {
                _pending--;
                route.Pending--;
                Send(route, answer);
            });
        },
        CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private void Send(Route route, byte[] answer)
    {
        if (_socket.TryBegin(route))
        {
            _socket.AddShared(answer, more: false);
        }
    }
}
