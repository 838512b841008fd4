using System.Net;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Harness;

/// <summary>A peer that sends bytes of its own making to a door of docs/protocol.md. Every wait has an end.</summary>
internal sealed class NativePeer : IDisposable
{
    private readonly List<byte> _received = [];

    private NativePeer(Socket socket) => Socket = socket;

    public Socket Socket { get; }

    /// <param name="endpoint">The door.</param>
    /// <param name="from">The peer's own address, one of this host's IPv4 addresses; null = as the system chooses.</param>
    public static NativePeer Connect(string endpoint, IPAddress? from = null)
    {
        bool unix = endpoint.StartsWith("ipc://", StringComparison.Ordinal);
        Socket socket = unix ? new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : from is null ? new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (from is not null)
        {
            socket.Bind(new IPEndPoint(from, 0));
        }

        socket.Connect(unix ? new UnixDomainSocketEndPoint(endpoint["ipc://".Length..]) : IPEndPoint.Parse(endpoint["tcp://".Length..]));
        socket.ReceiveTimeout = socket.SendTimeout = 30_000;
        return new NativePeer(socket);
    }

    /// <summary>The beginning of a call: everything up to the bytes of the name, which has this length in this family.</summary>
    public static byte[] Opening(ulong channel, byte family, int nameBytes) => [0x93, 0xcd, (byte)(channel >> 8), (byte)channel, 0, 0x91, .. Head(family, nameBytes)];

    /// <summary>The head of bytes: str8 (0xd9), str16, str32, bin8 (0xc4), bin16, bin32, or a fixstr (0xa0).</summary>
    public static byte[] Head(byte family, int length) => family switch
    {
        0xa0 => [(byte)(0xa0 + length)],
        0xd9 or 0xc4 => [family, checked((byte)length)],
        0xda or 0xc5 => [family, (byte)(length >> 8), (byte)length],
        _ => [family, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length],
    };

    public static byte[] Call(ulong channel, string name, string request) =>
    [
        .. Opening(channel, 0xda, name.Length), .. Encoding.ASCII.GetBytes(name),
        0x93, 0xcd, (byte)(channel >> 8), (byte)channel, 0, 0x91, .. Head(0xda, request.Length), .. Encoding.ASCII.GetBytes(request),
        0x93, 0xcd, (byte)(channel >> 8), (byte)channel, 2, 0x90,
    ];

    /// <summary>A call with one literal header.</summary>
    public static byte[] Call(ulong channel, string name, string request, string header, string value)
    {
        byte[] call = Call(channel, name, request);
        int end = Opening(channel, 0xda, name.Length).Length + name.Length;
        byte[] literal =
        [
            0x91, 0x93, 0xc2, .. Head(0xda, header.Length), .. Encoding.ASCII.GetBytes(header),
            .. Head(0xda, value.Length), .. Encoding.ASCII.GetBytes(value),
        ];
        call[0] = 0x94;
        return [.. call[..end], .. literal, .. call[end..]];
    }

    /// <summary>The answer to a call on a new channel: its chunk, or its error.</summary>
    public string Ask(ulong channel, string name, string text = "x")
    {
        Send(Call(channel, name, text));
        return Answer();
    }

    /// <summary>The answer to a call that was sent: its chunk, or its error.</summary>
    public string Answer()
    {
        string answer = Read();
        if (answer.Contains(" chunk ", StringComparison.Ordinal))
        {
            Assert.EndsWith(" close", Read());
        }

        return answer[(answer.IndexOf(' ', StringComparison.Ordinal) + 1)..];
    }

    public void Send(params ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[Socket.Send(bytes)..];
        }
    }

    /// <summary>The next message: "CHANNEL chunk DATA", "CHANNEL error CODE TEXT" or "CHANNEL close"; "end" when the node has closed.</summary>
    public string Read()
    {
        byte[] buffer = new byte[64 << 10];
        while (true)
        {
            byte[] bytes = [.. _received];
            if (MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout layout) == DecodeStatus.Ok)
            {
                _received.RemoveRange(0, layout.TotalBytes);
                return layout.Type switch
                {
                    0 => $"{layout.Channel} chunk {Encoding.UTF8.GetString(bytes, layout.DataOffset, layout.DataLength)}",
                    1 => $"{layout.Channel} error {layout.Code} {Encoding.UTF8.GetString(bytes, layout.TextOffset, layout.TextLength)}",
                    _ => $"{layout.Channel} close",
                };
            }

            int count;
            try
            {
                count = Socket.Receive(buffer);
            }
            catch (SocketException failure) when (failure.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
            {
                count = 0; // the node closed with bytes of ours unread
            }

            if (count == 0)
            {
                return "end";
            }

            _received.AddRange(buffer.AsSpan(0, count));
        }
    }

    /// <summary>One call on a new channel, with its whole answer.</summary>
    public string Echo(ulong channel, string text)
    {
        Send(Call(channel, "echo", text));
        string answer = Read();
        Assert.Equal($"{channel} close", Read());
        return answer;
    }

    public void Dispose() => Socket.Dispose();
}
