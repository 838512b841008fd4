using System.Net;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging;
using NetMQ;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>
/// A ZeroMQ socket as a loop sees it: batches of messages come from the poller's thread, and go there. Only that thread touches the NetMQ
/// socket itself.
/// </summary>
internal sealed class ZeroMqSocket
{
    /// <summary>
    /// The least time that messages get when a socket closes right after sending them, so that the answers of a drain reach peers that
    /// read.
    /// </summary>
    private const int MinLingerMs = 1000;

    private readonly ZeroMqPoller _poller;
    private readonly string _name;
    private readonly ILogger _log;
    private NetMQSocket? _socket;    // only the poller uses it; valid from Open to Close

    /// <param name="received">
    /// Gets each batch on the loop, and gives it back with <see cref="ZeroMqInput.Return"/>; null for a socket that only sends.
    /// </param>
    /// <param name="dropped">
    /// Called on the poller's thread with the number of messages that were dropped so far, whenever it is a power of two.
    /// </param>
    public ZeroMqSocket(
        ZeroMqPoller poller, EventLoop loop, string name, ILogger log, Action<MessageBatch>? received, Action<long>? dropped)
    {
        _poller = poller;
        _name = name;
        _log = log;
        Input = new ZeroMqInput(poller, loop, received);
        Output = new ZeroMqOutput(poller, loop, dropped);
    }

    /// <summary>The endpoints that the socket listens on, as peers write them; empty when it connects.</summary>
    public IReadOnlyList<string> Endpoints { get; private set; } = [];

    /// <summary>The incoming messages.</summary>
    public ZeroMqInput Input { get; }

    /// <summary>The outgoing messages.</summary>
    public ZeroMqOutput Output { get; }

    /// <summary>Binds or connects; on the loop. When the method throws, nothing stays open.</summary>
    /// <exception cref="IOException">An endpoint cannot be used.</exception>
    public void Open(ZeroMqSocketOptions options)
    {
        // Names are resolved here, so that a slow name server delays only this app.
        List<(string Endpoint, IReadOnlyList<IPEndPoint> Addresses)> at = [.. options.Endpoints.Select(endpoint => (endpoint,
            options.Connects ? [ZeroMqEndpoint.ToConnect(endpoint)] : ZeroMqEndpoint.ToListen(endpoint)))];
        _poller.Invoke(() =>
        {
            NetMQSocket socket = options.Make();
            try
            {
                socket.Options.SendHighWatermark = socket.Options.ReceiveHighWatermark = options.HighWaterMark;
                socket.Options.Linger = TimeSpan.FromMilliseconds(Math.Max(MinLingerMs, options.LingerMs));
                socket.Options.MaxMsgSize = ProtocolLimits.Default.MaxMessageBytes;
                socket.Options.IPv4Only = false;
                List<string> bound = [];
                foreach ((string endpoint, IReadOnlyList<IPEndPoint> addresses) in at)
                {
                    if (options.Connects)
                    {
                        socket.Connect(Endpoint.Describe(addresses[0]));
                    }
                    else
                    {
                        bound.AddRange(ZeroMqEndpoint.Bind(socket, endpoint, addresses));
                    }
                }

                Endpoints = bound;
            }
            catch
            {
                socket.Options.Linger = TimeSpan.Zero;
                socket.Dispose();
                throw;
            }

            _socket = socket;
            Input.Open(socket);
            Output.Open(socket);
            _poller.Add(socket);
        });
    }

    /// <summary>Sends the written messages and closes; on the loop.</summary>
    public void Close()
    {
        Output.Post();
        _poller.Post(new ActionWork(() =>
        {
            if (_socket is not { } socket)
            {
                return;
            }

            Input.Close();
            Output.Close();
            _socket = null;
            try
            {
                _poller.Remove(socket);
                socket.Dispose();
            }
            catch (NetMQException failure)
            {
                ZeroMqLog.CloseFailed(_log, _name, failure.Message);
            }
        }));
    }
}
