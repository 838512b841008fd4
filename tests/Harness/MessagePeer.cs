using System.Net;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Harness;

/// <summary>One end of a connection that speaks the protocol by hand: a client of a node, or a node that a client has connected to.</summary>
internal sealed class MessagePeer(Socket socket) : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private byte[] _received = new byte[4 << 20];
    private int _from;
    private int _to;

    public Socket Socket { get; } = socket;

    public static async Task<MessagePeer> ConnectAsync(RunningApp app)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPEndPoint.Parse(app.Endpoints[0].Endpoint["tcp://".Length..]));
        return new MessagePeer(socket);
    }

    public async Task SendAsync(Action<MessageSink> write)
    {
        MemorySink sink = new();
        write(sink);
        await SendAsync(sink.Written.ToArray());
    }

    public async Task SendAsync(byte[] bytes)
    {
        using CancellationTokenSource limit = new(Limit);
        for (int sent = 0; sent < bytes.Length;)
        {
            sent += await Socket.SendAsync(bytes.AsMemory(sent), limit.Token);
        }
    }

    /// <summary>The next message; null at the end of the connection.</summary>
    public async Task<Received?> ReadAsync()
    {
        using CancellationTokenSource limit = new(Limit);
        while (true)
        {
            DecodeStatus status = MessageDecoder.Decode(_received.AsSpan(_from, _to - _from), ProtocolLimits.Default, out MessageLayout layout);
            if (status == DecodeStatus.Ok)
            {
                Received message = Received.Of(new MessageView(in layout, _received.AsSpan(_from)));
                _from += layout.TotalBytes;
                return message;
            }

            Assert.Equal(DecodeStatus.NeedMore, status);
            _received.AsSpan(_from, _to - _from).CopyTo(_received);
            (_from, _to) = (0, _to - _from);
            if (_to == _received.Length)
            {
                Array.Resize(ref _received, 2 * _to);
            }

            try
            {
                int count = await Socket.ReceiveAsync(_received.AsMemory(_to), limit.Token);
                if (count == 0)
                {
                    return null;
                }

                _to += count;
            }
            catch (SocketException)
            {
                return null; // a reset is an end too
            }
        }
    }

    /// <summary>Reads until a message of this channel comes that ends it; returns its messages, and drops those of others.</summary>
    public async Task<List<Received>> ReadToEndOfAsync(ulong channel)
    {
        List<Received> messages = [];
        while (await ReadAsync() is { } message)
        {
            if (message.Channel == channel)
            {
                messages.Add(message);
                if (message.Type != MessageType.Chunk)
                {
                    return messages;
                }
            }
        }

        throw new EndOfStreamException($"the connection ended after {messages.Count} messages of channel {channel}");
    }

    public void Dispose() => Socket.Dispose();
}

/// <summary>A message as a peer has received it.</summary>
/// <param name="Channel">The channel.</param>
/// <param name="Type">The type.</param>
/// <param name="Data">The payload of a chunk, or the reason of an error; the arguments of any other message.</param>
/// <param name="Code">The code of an error.</param>
/// <param name="Headers">The headers array.</param>
internal sealed record Received(ulong Channel, ulong Type, byte[] Data, int Code, byte[] Headers)
{
    public string Text => Encoding.UTF8.GetString(Data);

    /// <summary>The category of an error.</summary>
    public int Category { get; private init; }

    /// <summary>The message asks to hold this channel (true) or to go on (false); null for other messages.</summary>
    public (ulong Channel, bool Hold)? Flow { get; private init; }

    public static Received Of(in MessageView message)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        byte[] data = layout.Shape switch
        {
            ArgumentShape.Data => message.Data.ToArray(),
            ArgumentShape.Error => message.Text.ToArray(),
            _ => message.Arguments.ToArray(),
        };
        bool isFlow = layout is { Channel: FlowControl.ClientControlChannel, Type: ControlType.Flow };
        return new Received(layout.Channel, layout.Type, data, layout.Code, message.Headers.ToArray())
        {
            Category = layout.Category,
            Flow = isFlow && FlowControl.TryRead(in message, out ulong channel, out bool hold) ? (channel, hold) : null,
        };
    }
}
