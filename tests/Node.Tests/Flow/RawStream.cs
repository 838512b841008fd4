using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Cocaine.Fast.Node.Tests.Flow;

/// <summary>A client of a raw-server whose connection is one request and one answer.</summary>
internal sealed class RawStream : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly byte[] _buffer = new byte[1 << 20];

    private RawStream(string endpoint)
    {
        _socket.Connect(IPEndPoint.Parse(endpoint["tcp://".Length..]));
        _socket.ReceiveTimeout = _socket.SendTimeout = (int)Limit.TotalMilliseconds;
    }

    public static RawStream Of(string endpoint) => new(endpoint);

    /// <summary>Sends a short request and reads the answer, with a pause of a millisecond after so many bytes; its length.</summary>
    public long Ask(string request, long restAfterBytes)
    {
        using (this)
        {
            Send(Encoding.UTF8.GetBytes(request));
            _socket.Shutdown(SocketShutdown.Send);
            long bytes = 0, rested = 0;
            while (_socket.Receive(_buffer) is > 0 and int count)
            {
                bytes += count;
                if (restAfterBytes > 0 && bytes - rested > restAfterBytes)
                {
                    rested = bytes;
                    Thread.Sleep(1); // the client's slowness, and nothing waits for it
                }
            }

            return bytes;
        }
    }

    /// <summary>Sends so many megabytes; the answer as text.</summary>
    public string Upload(int mb)
    {
        using (this)
        {
            for (int i = mb; i > 0; i--)
            {
                Send(_buffer);
            }

            _socket.Shutdown(SocketShutdown.Send);
            StringBuilder answer = new();
            while (_socket.Receive(_buffer) is > 0 and int count)
            {
                answer.Append(Encoding.UTF8.GetString(_buffer.AsSpan(0, count)));
            }

            return answer.ToString();
        }
    }

    public void Dispose() => _socket.Dispose();

    private void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[_socket.Send(bytes)..];
        }
    }
}
