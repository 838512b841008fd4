using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.MessagePack;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Client.Tests.Clusters;

/// <summary>A message of a client, and the way to answer it.</summary>
internal sealed record PlayedMessage(MessagePeer Peer, Received Message)
{
    public Task ErrorAsync(int category, int code, ErrorHeaders headers = default) =>
        Peer.SendAsync(sink => MessageWriter.WriteError(sink, Message.Channel, category, code, "no"u8, in headers));

    public async Task AnswerAsync(byte[] answer)
    {
        await Peer.SendAsync(sink => MessageWriter.WriteChunk(sink, Message.Channel, new Payload(answer), bin: true));
        await Peer.SendAsync(sink => MessageWriter.WriteClose(sink, Message.Channel));
    }

    public Task TellAsync(LoadReport load, bool isOpen = true) => Peer.SendAsync(sink => new LoadNews(load, isOpen).Write(sink, Message.Channel));
}

/// <summary>A node that a test plays: it answers the messages of all its clients as the test says.</summary>
internal sealed class PlayedNode : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentBag<MessagePeer> _peers = [];
    private readonly Task _serves;

    /// <param name="onCall">Called with the name of each call.</param>
    /// <param name="onLoad">Called with each question for the load; null = it is refused, as by a node that does not know it.</param>
    public PlayedNode(Func<PlayedMessage, Task> onCall, Func<PlayedMessage, Task>? onLoad = null)
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _serves = AcceptAsync(onCall, onLoad ?? (question => question.ErrorAsync(ErrorCodes.Category, ErrorCodes.BadRequest)));
    }

    public string Endpoint => $"tcp://{_listener.LocalEndPoint}";

    /// <summary>Calls that came.</summary>
    public int Calls;

    /// <summary>Calls that were given up.</summary>
    public int GivenUp;

    /// <summary>Ends all connections, as a killed node does.</summary>
    public void Cut()
    {
        foreach (MessagePeer peer in _peers)
        {
            peer.Socket.Close(0);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        Cut();
        await _serves;
    }

    /// <summary>A locator that names these nodes.</summary>
    public static PlayedNode Locator(params string[] endpoints) => new(async question =>
    {
        byte[] answer = new byte[1024];
        int at = MsgPackEncoder.WriteArrayHead(answer, 3);
        at += MsgPackEncoder.WriteArrayHead(answer.AsSpan(at), (uint)endpoints.Length);
        foreach (IPEndPoint endpoint in endpoints.Select(one => IPEndPoint.Parse(one["tcp://".Length..])))
        {
            at += MsgPackEncoder.WriteArrayHead(answer.AsSpan(at), 2);
            at += MsgPackEncoder.WriteStringHead(answer.AsSpan(at), 9, modern: false);
            "127.0.0.1"u8.CopyTo(answer.AsSpan(at));
            at += 9 + MsgPackEncoder.WriteUnsigned(answer.AsSpan(at + 9), (ulong)endpoint.Port);
        }

        at += MsgPackEncoder.WriteUnsigned(answer.AsSpan(at), 1) + 1;
        answer[at - 1] = 0x80;
        await question.Peer.SendAsync(sink => MessageWriter.WriteArguments(sink, question.Message.Channel, answer.AsSpan(0, at)));
    });

    private async Task AcceptAsync(Func<PlayedMessage, Task> onCall, Func<PlayedMessage, Task> onLoad)
    {
        try
        {
            while (true)
            {
                MessagePeer peer = new(await _listener.AcceptAsync());
                _peers.Add(peer);
                _ = ServeAsync(peer, onCall, onLoad);
            }
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // the test is over
        }
    }

    private async Task ServeAsync(MessagePeer peer, Func<PlayedMessage, Task> onCall, Func<PlayedMessage, Task> onLoad)
    {
        HashSet<ulong> known = [];
        try
        {
            while (await peer.ReadAsync() is { } message)
            {
                if (message.Type == MessageType.Error)
                {
                    Interlocked.Increment(ref GivenUp);
                }
                else if (!known.Add(message.Channel))
                {
                    // more of a request
                }
                else if (message.Type == MessageType.Close)
                {
                    await onLoad(new PlayedMessage(peer, message));
                }
                else
                {
                    Interlocked.Increment(ref Calls);
                    await onCall(new PlayedMessage(peer, message));
                }
            }
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // the client or the test is over
        }
    }
}
