using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Protocol;
using MessagePack;

namespace Cocaine.Fast.Node.Tests.Frameworks;

/// <summary>A message that came, with its data or reason as text.</summary>
internal sealed record Answer(ulong Channel, ulong Type, string Text, int Category = 0, int Code = 0)
{
    public override string ToString() => Type switch
    {
        0 => $"{Channel} chunk {Text}",
        1 => $"{Channel} error {Category} {Code} {Text}",
        _ => $"{Channel} close",
    };
}

/// <summary>
/// A client like the oldest public frameworks: raw family only, numbers of fixed width, no headers. One bin, str8 or ext from the node
/// ends its connection, so it fails the test here; so does an arity that is not exact.
/// </summary>
internal sealed class OldestClient : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly MemoryStream _incoming = new();
    private readonly byte[] _buffer = new byte[64 << 10];
    private ulong _last;

    public OldestClient(string endpoint) => _socket.Connect(IPEndPoint.Parse(endpoint["tcp://".Length..]));

    public ulong Enqueue(string name)
    {
        Send(++_last, 0, [0x91, .. Raw(Encoding.UTF8.GetBytes(name))]);
        return _last;
    }

    /// <summary>Opens a channel of this number.</summary>
    public void OpenAs(ulong channel, string name)
    {
        _last = channel - 1;
        Enqueue(name);
    }

    public void Chunk(ulong channel, byte[] data) => Send(channel, 0, [0x91, .. Raw(data)]);

    public void Close(ulong channel) => Send(channel, 2, [0x90]);

    public void GiveUp(ulong channel) => Send(channel, 1, [0x92, 0x92, .. Number(42), .. Number(7), .. Raw("enough"u8)]);

    public void SendBytes(byte[] bytes) => _socket.Send(bytes);

    /// <summary>Asks a locator; the addresses as endpoints, none when it does not know the name.</summary>
    public async Task<IReadOnlyList<string>> ResolveAsync(string name)
    {
        Enqueue(name);
        byte[] answer = new byte[4096];
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        int count = await _socket.ReceiveAsync(answer, limit.Token); // it is short, and comes in one piece
        using JsonDocument json = JsonDocument.Parse(MessagePackSerializer.ConvertToJson(answer.AsMemory(0, count), cancellationToken: limit.Token));
        return json.RootElement[1].GetInt32() == 1 ? []
            : [.. json.RootElement[2][0].EnumerateArray().Select(at => $"tcp://{at[0].GetString()}:{at[1].GetInt32()}")];
    }

    /// <summary>A whole call; its messages as text, the chunks of the answer joined.</summary>
    public async Task<string> CallAsync(string name, params byte[][] chunks)
    {
        ulong channel = Enqueue(name);
        foreach (byte[] chunk in chunks)
        {
            Chunk(channel, chunk);
        }

        Close(channel);
        return await AnswerAsync(channel);
    }

    /// <summary>The rest of an answer: its chunks joined, then how it ended.</summary>
    public async Task<string> AnswerAsync(ulong channel)
    {
        StringBuilder all = new();
        while (true)
        {
            Answer answer = await NextAsync();
            Assert.Equal(channel, answer.Channel);
            if (answer.Type != 0)
            {
                return all + (answer.Type == 1 ? $" error {answer.Category} {answer.Code} {answer.Text}" : " close");
            }

            all.Append(answer.Text);
        }
    }

    /// <summary>The next message; null at the end of the connection.</summary>
    public async Task<Answer> NextAsync() => await TryNextAsync() ?? throw new EndOfStreamException("the node closed the connection");

    public async Task<Answer?> TryNextAsync()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        while (true)
        {
            if (TryTake() is { } answer)
            {
                if (answer.Channel == 0)
                {
                    continue; // the refusal of what a test sent on no channel
                }

                return answer;
            }

            int count = await _socket.ReceiveAsync(_buffer, limit.Token);
            if (count == 0)
            {
                return null;
            }

            _incoming.Position = _incoming.Length;
            _incoming.Write(_buffer, 0, count);
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _incoming.Dispose();
    }

    private static byte[] Number(ulong value)
    {
        byte[] to = new byte[9];
        to[0] = 0xcf;
        BinaryPrimitives.WriteUInt64BigEndian(to.AsSpan(1), value);
        return to;
    }

    private static byte[] Raw(ReadOnlySpan<byte> data) => data.Length switch
    {
        < 32 => [(byte)(0xa0 | data.Length), .. data],
        <= ushort.MaxValue => [0xda, (byte)(data.Length >> 8), (byte)data.Length, .. data],
        _ => [0xdb, (byte)(data.Length >> 24), (byte)(data.Length >> 16), (byte)(data.Length >> 8), (byte)data.Length, .. data],
    };

    private void Send(ulong channel, ulong type, byte[] arguments)
    {
        byte[] message = [0x93, .. Number(channel), .. Number(type), .. arguments];
        for (int sent = 0; sent < message.Length;)
        {
            sent += _socket.Send(message.AsSpan(sent));
        }
    }

    private Answer? TryTake()
    {
        ReadOnlySpan<byte> bytes = _incoming.GetBuffer().AsSpan(0, (int)_incoming.Length);
        if (bytes.IsEmpty)
        {
            return null;
        }

        DecodeStatus status = MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout layout);
        if (status == DecodeStatus.NeedMore)
        {
            return null;
        }

        Assert.Equal(DecodeStatus.Ok, status);
        Assert.False(layout.SawBin, "a byte of a modern family would end an old client's connection");
        Assert.Equal(layout.Type switch { 0 => layout.ArgumentCount, 1 => 2, _ => 0 }, layout.ArgumentCount);
        MessageView view = new(in layout, bytes);
        Answer answer = layout.Type == 0
            ? new Answer(layout.Channel, 0, Encoding.UTF8.GetString(layout.Shape == ArgumentShape.Data ? view.ShortData : view.Arguments))
            : new Answer(layout.Channel, layout.Type, Encoding.UTF8.GetString(view.Text), layout.Category, layout.Code);
        byte[] rest = bytes[layout.TotalBytes..].ToArray();
        _incoming.SetLength(0);
        _incoming.Write(rest);
        return answer;
    }
}
