using System.Net;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Node.Tests.Flow;

/// <summary>A client of the native protocol that reads and writes when it is told to, and knows no flow control.</summary>
internal sealed class PlainClient : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[1 << 20];
    private int _received;
    private ulong _channel;

    public PlainClient(string endpoint)
    {
        _socket.Connect(IPEndPoint.Parse(endpoint["tcp://".Length..]));
        _socket.ReceiveTimeout = _socket.SendTimeout = (int)Limit.TotalMilliseconds;
    }

    /// <summary>Bytes of the last answer.</summary>
    public long AnswerBytes { get; private set; }

    /// <summary>The last chunk as text.</summary>
    public string LastText { get; private set; } = "";

    public void Open(string name) => Send(sink => MessageWriter.WriteEnqueue(sink, ++_channel, Encoding.UTF8.GetBytes(name), default, bin: true));

    public void Chunk(byte[] data) => Send(sink => MessageWriter.WriteChunk(sink, _channel, new Payload(data), bin: true));

    public void Close() => Send(sink => MessageWriter.WriteClose(sink, _channel));

    public void GiveUp() => Send(sink => MessageWriter.WriteError(sink, _channel, 42, 1, "no more"));

    /// <summary>A whole call, its answer to be read.</summary>
    public void Ask(string name, string request)
    {
        Open(name);
        Chunk(Encoding.UTF8.GetBytes(request));
        Close();
    }

    /// <summary>A whole call with a short answer.</summary>
    public string Call(string name, string request)
    {
        Ask(name, request);
        Assert.Equal("", ReadAnswer());
        return LastText;
    }

    /// <summary>Reads the answer to its end: empty when that is a close, otherwise the error.</summary>
    /// <param name="restAfterBytes">A pause of a millisecond after so many bytes makes the client slow; 0 makes none.</param>
    public string ReadAnswer(long restAfterBytes = 0)
    {
        AnswerBytes = 0;
        LastText = "";
        long rested = 0;
        while (true)
        {
            int at = 0;
            string? end = null;
            while (end is null && MessageDecoder.Decode(_buffer.AsSpan(at, _received - at), ProtocolLimits.Default, out MessageLayout layout) == DecodeStatus.Ok)
            {
                end = Take(new MessageView(in layout, _buffer.AsSpan(at)));
                at += layout.TotalBytes;
            }

            _buffer.AsSpan(at, _received - at).CopyTo(_buffer);
            _received -= at;
            if (end is not null)
            {
                return end;
            }

            int count = _socket.Receive(_buffer.AsSpan(_received));
            Assert.True(count > 0, $"the node closed the connection after {AnswerBytes} bytes");
            _received += count;
            if (restAfterBytes > 0 && AnswerBytes - rested > restAfterBytes)
            {
                rested = AnswerBytes;
                Thread.Sleep(1); // the client's slowness, and nothing waits for it
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>How the answer ends with this message; null when it goes on.</summary>
    private string? Take(in MessageView message)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        if (layout.Type != MessageType.Chunk)
        {
            return layout.Type == MessageType.Close ? "" : Encoding.UTF8.GetString(message.Text);
        }

        AnswerBytes += layout.DataLength;
        LastText = layout.DataLength < 100 ? Encoding.UTF8.GetString(message.ShortData) : "";
        return null;
    }

    private void Send(Action<MessageSink> write)
    {
        MemorySink sink = new();
        write(sink);
        for (ReadOnlySpan<byte> rest = sink.Written; !rest.IsEmpty;)
        {
            rest = rest[_socket.Send(rest)..];
        }
    }
}
