using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Cluster.Peers;
using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Cluster.Tests.Peers;

/// <summary>A message that came.</summary>
internal sealed record RawMessage(ulong Channel, ulong Type, int Category, int Code, byte[] Arguments);

/// <summary>One end of a link that says what the test wants.</summary>
internal sealed class RawLink(Socket socket) : IDisposable
{
    private byte[] _bytes = [];

    public static async Task<RawLink> ConnectAsync(IPEndPoint to)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(to);
        return new RawLink(socket);
    }

    /// <summary>A link that has proven itself, and got the first news.</summary>
    public static async Task<RawLink> JoinAsync(PeerNode node, string name = "raw")
    {
        RawLink link = await ConnectAsync(node.Port);
        PeerHello hello = PeerHello.Of(new PeerIdentity("cluster", name, 1, PeerNode.Secret), PeerNode.AppName);
        await link.SendAsync(hello.Write);
        RawMessage answer = (await link.ReadAsync())!;
        Assert.True(hello.TryReadAnswer(answer.Arguments, PeerNode.Secret, out string other, out byte[] nonce));
        await link.SendAsync(sink => hello.WriteProof(sink, PeerNode.Secret, other, nonce));
        Assert.True(LoadNews.TryRead((await link.ReadAsync())!.Arguments, out _));
        return link;
    }

    /// <summary>Plays a node that takes links: the hello is answered, and its proof taken.</summary>
    public static async Task<RawLink> AcceptAsync(Socket listener, string name)
    {
        RawLink link = new(await listener.AcceptAsync().WaitAsync(TimeSpan.FromSeconds(30)));
        PeerHello hello = PeerHello.Read((await link.ReadAsync())!.Arguments, [])!;
        PeerIdentity self = new("cluster", name, 1, PeerNode.Secret);
        byte[] nonce = new byte[PeerHello.NonceBytes];
        await link.SendAsync(sink => hello.WriteAnswer(sink, self, nonce));
        Assert.True(hello.IsProof((await link.ReadAsync())!.Arguments, PeerNode.Secret, name, nonce));
        return link;
    }

    public async Task SendAsync(Action<MessageSink> write)
    {
        MemorySink sink = new();
        write(sink);
        await SendAsync(sink.Written.ToArray());
    }

    public async Task SendAsync(byte[] bytes) => await socket.SendAsync(bytes);

    /// <summary>The next message; null when the link has ended.</summary>
    public async Task<RawMessage?> ReadAsync()
    {
        while (true)
        {
            if (MessageDecoder.Decode(_bytes, ProtocolLimits.Default, out MessageLayout layout) == DecodeStatus.Ok)
            {
                byte[] arguments = _bytes[layout.ArgumentsOffset..(layout.ArgumentsOffset + layout.ArgumentsLength)];
                _bytes = _bytes[layout.TotalBytes..];
                return new RawMessage(layout.Channel, layout.Type, layout.Category, layout.Code, arguments);
            }

            byte[] more = new byte[64 << 10];
            int count = 0;
            try
            {
                count = await socket.ReceiveAsync(more).WaitAsync(TimeSpan.FromSeconds(30));
            }
            catch (SocketException)
            {
                // reset: the link has ended too
            }

            if (count == 0)
            {
                return null;
            }

            _bytes = [.. _bytes, .. more[..count]];
        }
    }

    /// <summary>The next message of a job's channel; null when the link has ended.</summary>
    public async Task<RawMessage?> ReadJobAsync()
    {
        RawMessage? message;
        do
        {
            message = await ReadAsync();
        }
        while (message is { Channel: 1 });
        return message;
    }

    /// <summary>Reads until the other side has ended the link.</summary>
    public async Task EndsAsync()
    {
        while (await ReadAsync() is not null)
        {
        }
    }

    public void Dispose() => socket.Dispose();
}
