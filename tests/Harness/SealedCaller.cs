using System.Security.Cryptography;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;

namespace Cocaine.Fast.Harness;

/// <summary>A session of a sender whose calls are bytes, for relays that keep, repeat or move them.</summary>
internal sealed class SealedCaller
{
    private readonly string _app;
    private readonly SealSession _session;
    private bool _isOpen;

    /// <param name="keys">The keys.</param>
    /// <param name="caller">The sender.</param>
    /// <param name="app">The app of the calls.</param>
    /// <param name="aheadS">Seconds by which the sender's clock is ahead.</param>
    public SealedCaller(SealKeys keys, string caller, string app, int aheadS = 0)
    {
        using RSA key = RsaKeyText.ReadPrivate(File.ReadAllText(keys.KeyOf(caller)));
        using RSA node = RsaKeyText.ReadPublic(File.ReadAllText(keys.NodeKey));
        _app = app;
        _session = new OpeningWriter(key, node).Make(DateTimeOffset.UtcNow.ToUnixTimeSeconds() + aheadS, out byte[] opening);
        Opening = opening;
    }

    /// <summary>The opening of the session.</summary>
    public byte[] Opening { get; }

    /// <summary>A whole call with one chunk. The first one opens the session.</summary>
    public KeptCall Call(string name, string text, ulong channel = 1)
    {
        SealedCall call = new();
        call.Begin(_session, isClient: true, Utf8.Of(_app), Utf8.Of(name), default);
        byte[] chunk = Utf8.Of(text), record = new byte[chunk.Length + SealSession.OverheadBytes];
        byte[] headers = new byte[CallOptions.MaxEncodedBytes + SealLimits.MaxOpeningBytes], number = new byte[OpeningSecret.SessionIdBytes];
        Assert.True(call.Seal(RecordKind.Last, new Payload(chunk), record));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(number, _session.Id);
        int length = default(CallOptions).Encode(headers, offersFlow: false, _isOpen ? number : Opening);
        _isOpen = true;
        MemorySink sink = new();
        MessageWriter.WriteInvoke(sink, channel, Utf8.Of(name), headers.AsSpan(0, length));
        MessageWriter.WriteChunk(sink, channel, new Payload(record), bin: true);
        MessageWriter.WriteClose(sink, channel);
        return new KeptCall(channel, sink.Written.ToArray(), call);
    }
}

/// <summary>A call as a relay sees it, and the sender's end of it.</summary>
/// <param name="Channel">The channel.</param>
/// <param name="Bytes">All messages of the request.</param>
/// <param name="Seal">Opens the answer.</param>
internal sealed record KeptCall(ulong Channel, byte[] Bytes, SealedCall Seal)
{
    /// <summary>Sends the call, and waits for its answer.</summary>
    public async Task<List<Received>> SendAsync(MessagePeer peer)
    {
        await peer.SendAsync(Bytes);
        return await peer.ReadToEndOfAsync(Channel);
    }

    /// <summary>The text of a record of the answer.</summary>
    public string Open(Received message)
    {
        byte[] text = new byte[message.Data.Length];
        Assert.Equal(SealFault.None, Seal.Open(new Payload(message.Data), text, out OpenedRecord opened));
        return Utf8.TextOf(text[..opened.Length]);
    }
}
