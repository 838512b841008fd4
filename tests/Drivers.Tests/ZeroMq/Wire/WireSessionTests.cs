using System.Text;
using Cocaine.Fast.Drivers.ZeroMq.Wire;
using CsCheck;
using static Cocaine.Fast.Drivers.Tests.ZeroMq.Wire.WireBytes;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq.Wire;

/// <summary>A session with a ZeroMQ peer, byte by byte.</summary>
public class WireSessionTests
{
    private static readonly byte[] Large = [.. Enumerable.Range(0, 40_000).Select(i => (byte)i)];

    public static TheoryData<string> Versions => ["3.0", "3.1", "2.0", "1.0"];

    /// <summary>However the bytes are cut into receives and blocks, and however often there is no room, the messages are the same.</summary>
    [Theory]
    [MemberData(nameof(Versions))]
    public void Any_split_of_the_bytes_gives_the_same_messages(string version)
    {
        byte[] stream = StreamOf(version);
        RecordingHost whole = new(SocketKind.Router);
        whole.Feed(stream, stream.Length);
        Assert.Null(whole.Problem);
        Assert.Equal(version.StartsWith('3') ? 7 : 6, whole.Said.Count);
        Assert.Equal(0, whole.WaitingBytes);
        Gen.Select(Gen.Int[0, stream.Length].Array[0, 12], Gen.Int[1, 5000], Gen.Int[0, 2]).Sample(
            (cuts, segment, refusals) =>
            {
                RecordingHost host = new(SocketKind.Router) { Refusals = refusals };
                int from = 0;
                foreach (int cut in cuts.Order().Append(stream.Length))
                {
                    host.Feed(stream.AsSpan(from, cut - from), segment);
                    from = cut;
                }

                return host.Problem is null && host.Said.SequenceEqual(whole.Said) && host.Sent.SequenceEqual(whole.Sent);
            },
            iter: 500);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Single_bytes_give_the_same_messages(string version)
    {
        byte[] stream = StreamOf(version)[..400];
        RecordingHost whole = new(SocketKind.Router), single = new(SocketKind.Router);
        whole.Feed(stream, stream.Length);
        foreach (byte one in stream)
        {
            single.Feed([one], 1);
        }

        Assert.Equal(whole.Said, single.Said);
        Assert.Equal(whole.Sent, single.Sent);
        Assert.True(whole.Said.Count > 1);
    }

    [Fact]
    public void A_peer_of_each_version_hears_its_own()
    {
        byte[] signature = [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f];
        RecordingHost third = new(SocketKind.Pull), second = new(SocketKind.Pull), first = new(SocketKind.Pull);
        third.Feed(Third("PUSH"), 1000);
        second.Feed(Second(8), 1000);
        first.Feed(First("me"), 1000);
        Assert.Equal(Third("PULL", minor: 1)[signature.Length..], third.Sent);
        Assert.Equal([3, 7, 0, 0], second.Sent); // the version, PULL, and an empty identity
        Assert.Empty(first.Sent);                // the signature was an empty identity
        Assert.Equal("ready Push ", third.Said[0]);
        Assert.Equal("ready Push ", second.Said[0]);
        Assert.Equal("ready  6D65", first.Said[0]);
    }

    [Fact]
    public void A_ping_is_answered_with_its_context()
    {
        RecordingHost host = new(SocketKind.Router);
        host.Feed(Third("DEALER"), 1000);
        int before = host.Sent.Count;
        host.Feed([.. Ping("context of 16 by"), .. Ping(""), .. Command(Name("UNKNOWN")), .. Message("x"u8.ToArray())], 1000);
        Assert.Equal([.. Command([.. Name("PONG"), .. "context of 16 by"u8]), .. Command(Name("PONG"))], host.Sent[before..]);
        Assert.Null(host.Problem);
        Assert.Equal("78,", host.Said[^1]);
    }

    [Fact]
    public void Subscriptions_come_as_commands_too()
    {
        RecordingHost host = new(SocketKind.Pub);
        host.Feed([.. Third("SUB", minor: 1), .. Command([.. Name("SUBSCRIBE"), .. "ab"u8]), .. Command([.. Name("CANCEL"), .. "a"u8])], 1000);
        Assert.Equal(["ready Sub ", "+6162", "-61"], host.Said);
    }

    /// <summary>Every kind of mistake ends the session with its reason, and nothing after it is taken.</summary>
    [Fact]
    public void What_is_wrong_is_refused_with_its_reason()
    {
        byte[] good = Third("DEALER");
        (byte[] Bytes, string Reason)[] cases =
        [
            ("GET / HTTP/1.1\r\n"u8.ToArray(), "no greeting"),
            ("\u0016\u0003\u0001"u8.ToArray(), "no greeting"),
            ([0, 1], "no greeting"),
            ([2, 0, 0], "begins with a zero"),
            ([0xff, 0, 0, 0, 0, 0, 0, 1, 2, 0], "longer than 255 bytes"),
            ([0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0], "no greeting"),
            ([.. Greeting()[..10], 0], "version 0"),
            ([.. Second(200)], "number of the socket type"),
            ([.. Second(8)], "a PUSH socket does not fit a ROUTER socket"),
            (Greeting(mechanism: "CURVE"), "the mechanism 'CURVE' is not spoken here"),
            (Greeting(mechanism: "\u001b[31m"), "the mechanism '\\u001b[31m'"),
            ([.. Greeting(), .. Message("x"u8.ToArray())], "no READY"),
            ([.. Greeting(), 6, .. Long(9000)], "no READY of at most"),
            ([.. Greeting(), 4, 0], "no READY follows"),
            ([.. Greeting(), .. Command(Name("HELLO"))], "no READY follows"),
            ([.. Greeting(), .. Command([.. Name("ERROR"), .. Name("not you")])], "the peer gives up: 'not you'"),
            ([.. Greeting(), .. Command(Name("READY"))], "no socket type"),
            ([.. Greeting(), .. Command([.. Name("READY"), 0])], "does not end"),
            ([.. Greeting(), .. Command([.. Name("READY"), .. Name("Socket-Type"), 0xff, 0xff, 0xff, 0xff])], "does not end"),
            ([.. Greeting(), .. Command([.. Name("READY"), .. Name("Socket-Type"), 0, 0, 0, 7, 1])], "does not end"),
            ([.. Greeting(), .. Command([.. Name("READY"), .. Enumerable.Repeat(Property("a", []), 65).SelectMany(one => one)])], "64 properties"),
            ([.. Greeting(), .. Command([.. Ready("DEALER"), .. Property("SOCKET-TYPE", [])])], "two socket types"),
            ([.. Third("SINK")], "'SINK' is no socket type"),
            ([.. Third("PUB")], "a PUB socket does not fit a ROUTER socket"),
            ([.. Third("DEALER", new string('x', 256))], "longer than 255 bytes"),
            ([.. Third("DEALER", "\0x")], "begins with a zero"),
            ([.. good, 4, 0], "a command has no name"),
            ([.. good, 5, 1, 0], "flags without a meaning"),
            ([.. good, 8, 1, 0], "flags without a meaning"),
            ([.. good, 2, .. Long(-1)], "no length"),
            ([.. good, 2, .. Long(long.MaxValue)], "a message is longer than"),
            ([.. good, 2, .. Long((64 << 20) + (64 << 10))], "a message is longer than"),
            ([.. good, 6, .. Long(8193)], "a command is longer than"),
            ([.. good, .. Frame([1], more: true), .. Ping("")], "between the frames of a message"),
            ([.. good, .. Command([.. Name("PING"), 0])], "a PING has no lifetime"),
            ([.. good, .. Ping("17 bytes are more")], "too long a context"),
            ([.. good, .. Command([.. Name("ERROR"), 200])], "the peer gives up: no reason"),
        ];
        foreach ((byte[] bytes, string reason) in cases)
        {
            RecordingHost host = new(SocketKind.Router);
            host.Feed(bytes, 1000);
            Assert.Contains(reason, host.Problem ?? $"nothing is wrong with {Convert.ToHexString(bytes)}");
            Assert.Equal(WirePhase.Ended, host.Session.Phase);
            int said = host.Said.Count;
            host.Feed(Message("after"u8.ToArray()), 1000);
            Assert.Equal(said, host.Said.Count);
        }
    }

    /// <summary>More frames than a message may have are counted and not kept: the message shows that there were too many.</summary>
    [Fact]
    public void A_million_frames_take_no_memory_of_their_own()
    {
        RecordingHost host = new(SocketKind.Router, keepsText: false);
        host.Feed(Third("DEALER"), 1000);
        byte[] frames = new byte[2 << 20];
        for (int i = 0; i < frames.Length; i += 2)
        {
            frames[i] = 1;
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        host.Feed(frames, frames.Length);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (2 * frames.Length) + (64 << 10)); // the host's own copies
        host.Feed([.. Frame("end"u8.ToArray()), .. Message("next"u8.ToArray())], 1000);
        Assert.Equal(4, host.MessageBytes); // 1,025 empty frames of the first, and "next"
    }

    private static byte[] StreamOf(string version)
    {
        byte[][] first = [[], Encoding.ASCII.GetBytes("hello")], second = [Large, [], [1, 2, 3]], third = [[]];
        byte[][] fourth = [[.. Large.Take(255)]], fifth = [[.. Large.Take(254)], [.. Large.Take(256)], [.. Large.Take(253)]];
        byte[][][] messages = [first, third, fourth, fifth, second];
        return version switch
        {
            "1.0" => [.. First("me"), .. messages.SelectMany(OldMessage)],
            "2.0" => [.. Second(5, "me"), .. messages.SelectMany(Message)],
            _ => [.. Third("DEALER", "me", version == "3.1" ? (byte)1 : (byte)0), .. Ping("x"), .. messages.SelectMany(Message),
                .. Command([.. Name("SUBSCRIBE"), 1])],
        };
    }
}
