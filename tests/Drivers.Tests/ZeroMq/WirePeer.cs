using System.Net;
using System.Net.Sockets;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq;

/// <summary>A plain socket at a ZeroMQ port: sends any bytes. Ends by a reset, so that thousands of them leave no ports behind.</summary>
internal sealed class WirePeer : IDisposable
{
    private const int WaitMs = 20_000;
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <param name="endpoint">The endpoint.</param>
    /// <param name="from">The last byte of the own loopback address: each address has a bound of its own.</param>
    public WirePeer(string endpoint, byte from = 1)
    {
        _socket.Bind(new IPEndPoint(new IPAddress([127, 0, 0, from]), 0));
        _socket.ReceiveTimeout = _socket.SendTimeout = WaitMs;
        _socket.NoDelay = true;
        _socket.Connect(IPEndPoint.Parse(endpoint["tcp://".Length..].Replace("[::]", "127.0.0.1")));
    }

    /// <summary>Sends all; false when the node has closed the connection before.</summary>
    public bool TrySend(ReadOnlySpan<byte> bytes)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                bytes = bytes[_socket.Send(bytes)..];
            }

            return true;
        }
        catch (SocketException failure) when (failure.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            return false;
        }
    }

    public void EndWriting()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // the node was faster
        }
    }

    /// <summary>Reads until the node closes the connection, which it does in time, and gives all that it said.</summary>
    public byte[] ReadToEnd()
    {
        List<byte> all = [];
        byte[] buffer = new byte[4096];
        try
        {
            for (int count; (count = _socket.Receive(buffer)) > 0;)
            {
                all.AddRange(buffer.AsSpan(0, count));
            }
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.ConnectionReset)
        {
            // closed with bytes that were not read
        }

        return [.. all];
    }

    /// <summary>Reads so many bytes.</summary>
    public byte[] Read(int count)
    {
        byte[] bytes = new byte[count];
        for (int at = 0; at < count;)
        {
            int read = _socket.Receive(bytes.AsSpan(at));
            Assert.True(read > 0, $"the connection ended after {at} of {count} bytes");
            at += read;
        }

        return bytes;
    }

    public void Dispose()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }
}
