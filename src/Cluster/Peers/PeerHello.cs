using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Cocaine.Fast.Core.MessagePack;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Cluster.Peers;

/// <summary>
/// The three messages by which two nodes prove to each other that they know the cluster's secret, section "Links between nodes" of
/// docs/protocol.md. Each side signs both nonces, both names and its own part, so that no message can be used again or sent back.
/// </summary>
/// <param name="Cluster">The cluster's id.</param>
/// <param name="Caller">The node that opens the link.</param>
/// <param name="Incarnation">The number of that node's life.</param>
/// <param name="App">The app that the link is for.</param>
/// <param name="Nonce">The caller's nonce.</param>
internal sealed record PeerHello(string Cluster, string Caller, ulong Incarnation, string App, byte[] Nonce)
{
    public const int NonceBytes = 32, MacBytes = 32;

    /// <summary>The bytes that tie the hello to its TLS session, see <see cref="PeerSocket.Binding"/>. Not sent.</summary>
    public byte[] Binding { get; init; } = [];

    /// <summary>The channel of hellos and news.</summary>
    public const ulong Channel = MessageWriter.ControlChannel;

    private const byte OfCaller = 1, OfListener = 2;

    /// <summary>The name and version of the protocol, which every message of a hello begins with.</summary>
    private static ReadOnlySpan<byte> Version => "cocaine-fast-peer-1"u8;

    /// <summary>A hello with a nonce of its own.</summary>
    public static PeerHello Of(PeerIdentity self, string app) =>
        new(self.Cluster, self.Node, self.Incarnation, app, RandomNumberGenerator.GetBytes(NonceBytes));

    /// <summary><c>[1, 0, [version, cluster, node, incarnation, app, nonce]]</c></summary>
    public void Write(MessageSink output)
    {
        Span<byte> to = stackalloc byte[PeerLimits.MaxHelloBytes];
        int at = MsgPackEncoder.WriteArrayHead(to, 6);
        at += WriteBytes(to[at..], Version);
        at += WriteBytes(to[at..], Encoding.UTF8.GetBytes(Cluster));
        at += WriteBytes(to[at..], Encoding.UTF8.GetBytes(Caller));
        at += MsgPackEncoder.WriteUnsigned(to[at..], Incarnation);
        at += WriteBytes(to[at..], Encoding.UTF8.GetBytes(App));
        at += WriteBytes(to[at..], Nonce);
        MessageWriter.WriteArguments(output, Channel, to[..at]);
    }

    /// <summary>Reads a hello; null when the arguments are none.</summary>
    /// <param name="arguments">The message's arguments.</param>
    /// <param name="binding">The bytes that tie it to its TLS session; empty without TLS.</param>
    public static PeerHello? Read(ReadOnlySpan<byte> arguments, byte[] binding)
    {
        ArgumentReader reader = new(arguments);
        reader.Array(6);
        bool isKnown = reader.Bytes(1, PeerLimits.MaxNameBytes).SequenceEqual(Version);
        PeerHello hello = new(
            Name(ref reader), Name(ref reader), reader.Number(), Name(ref reader), reader.Bytes(NonceBytes, NonceBytes).ToArray());
        return isKnown && reader.IsWhole ? hello with { Binding = binding } : null;
    }

    /// <summary><c>[1, 0, [version, node, nonce, mac]]</c>: the listener's answer.</summary>
    public void WriteAnswer(MessageSink output, PeerIdentity self, ReadOnlySpan<byte> nonce)
    {
        Span<byte> to = stackalloc byte[PeerLimits.MaxHelloBytes];
        int at = MsgPackEncoder.WriteArrayHead(to, 4);
        at += WriteBytes(to[at..], Version);
        at += WriteBytes(to[at..], Encoding.UTF8.GetBytes(self.Node));
        at += WriteBytes(to[at..], nonce);
        at += WriteBytes(to[at..], Mac(self.Secret, OfListener, self.Node, nonce));
        MessageWriter.WriteArguments(output, Channel, to[..at]);
    }

    /// <summary>Reads the listener's answer. False when it is none, or does not prove the secret.</summary>
    /// <param name="arguments">The message's arguments.</param>
    /// <param name="secret">The cluster's secret.</param>
    /// <param name="node">The listener's name.</param>
    /// <param name="nonce">The listener's nonce.</param>
    public bool TryReadAnswer(ReadOnlySpan<byte> arguments, byte[] secret, out string node, out byte[] nonce)
    {
        ArgumentReader reader = new(arguments);
        reader.Array(4);
        bool isKnown = reader.Bytes(1, PeerLimits.MaxNameBytes).SequenceEqual(Version);
        node = Name(ref reader);
        nonce = reader.Bytes(NonceBytes, NonceBytes).ToArray();
        ReadOnlySpan<byte> mac = reader.Bytes(MacBytes, MacBytes);
        return isKnown && reader.IsWhole && CryptographicOperations.FixedTimeEquals(mac, Mac(secret, OfListener, node, nonce));
    }

    /// <summary><c>[1, 0, [version, mac]]</c>: the caller's proof.</summary>
    public void WriteProof(MessageSink output, byte[] secret, string listener, ReadOnlySpan<byte> nonce)
    {
        Span<byte> to = stackalloc byte[PeerLimits.MaxHelloBytes];
        int at = MsgPackEncoder.WriteArrayHead(to, 2);
        at += WriteBytes(to[at..], Version);
        at += WriteBytes(to[at..], Mac(secret, OfCaller, listener, nonce));
        MessageWriter.WriteArguments(output, Channel, to[..at]);
    }

    /// <summary>Reads the caller's proof. False when it is none, or does not prove the secret.</summary>
    public bool IsProof(ReadOnlySpan<byte> arguments, byte[] secret, string listener, ReadOnlySpan<byte> nonce)
    {
        ArgumentReader reader = new(arguments);
        reader.Array(2);
        bool isKnown = reader.Bytes(1, PeerLimits.MaxNameBytes).SequenceEqual(Version);
        ReadOnlySpan<byte> mac = reader.Bytes(MacBytes, MacBytes);
        return isKnown && reader.IsWhole && CryptographicOperations.FixedTimeEquals(mac, Mac(secret, OfCaller, listener, nonce));
    }

    private byte[] Mac(byte[] secret, byte part, string listener, ReadOnlySpan<byte> listenersNonce)
    {
        using IncrementalHash hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        hash.AppendData([part]);
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (string name in (ReadOnlySpan<string>)[Cluster, Caller, listener, App])
        {
            byte[] text = Encoding.UTF8.GetBytes(name);
            BinaryPrimitives.WriteInt32BigEndian(length, text.Length); // so that no two lists of names give the same bytes
            hash.AppendData(length);
            hash.AppendData(text);
        }

        hash.AppendData(Nonce);
        hash.AppendData(listenersNonce);
        hash.AppendData(Binding);
        return hash.GetHashAndReset();
    }

    private static string Name(ref ArgumentReader reader) => reader.Name(PeerLimits.MaxNameBytes);

    private static int WriteBytes(Span<byte> to, ReadOnlySpan<byte> bytes)
    {
        int at = MsgPackEncoder.WriteBinaryHead(to, (uint)bytes.Length);
        bytes.CopyTo(to[at..]);
        return at + bytes.Length;
    }
}
