using System.Net;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Node.Tests;

/// <summary>The bounds of the node's own doors: the locator's and the control socket's.</summary>
public class DoorBoundsTests
{
    [Theory]
    [InlineData(257, false)]
    [InlineData(4000, false)]
    [InlineData(4090, true)]
    [InlineData(60_000, true)]
    public async Task The_locator_refuses_a_long_name_by_its_length(int length, bool ends)
    {
        await using TestNode node = TestNode.Start("tcp://127.0.0.1:0");
        using NativePeer peer = NativePeer.Connect(node.Node.LocatorEndpoints[0]), other = NativePeer.Connect(node.Node.LocatorEndpoints[0]);
        peer.Send(NativePeer.Opening(1, 0xda, length));
        Assert.Equal($"1 error 413 the name has {length} bytes, and a name has at most 256", peer.Read());
        if (ends)
        {
            Assert.Equal("end", peer.Read());
        }
        else
        {
            peer.Send([.. new byte[length], .. NativePeer.Opening(2, 0xda, 256), .. new byte[256]]);
            Assert.StartsWith("2 error 1 no service named", peer.Read());
        }

        other.Send([.. NativePeer.Opening(1, 0xda, 4), .. "none"u8]);
        Assert.StartsWith("1 error 1 no service named none here", other.Read());
    }

    [Theory]
    [InlineData(4000, true)]
    [InlineData(5000, false)]
    public async Task A_message_of_the_locator_is_short(int length, bool isAnswered)
    {
        await using TestNode node = TestNode.Start("tcp://127.0.0.1:0");
        using NativePeer peer = NativePeer.Connect(node.Node.LocatorEndpoints[0]);
        peer.Send([0x94, 1, 6, 0x90, 0x91, 0x93, 0xc2, 0xa1, (byte)'a', .. NativePeer.Head(0xda, length), .. new byte[length]]); // uuid
        Assert.StartsWith(isAnswered ? "1 chunk " : "1 error 413 a message that is not of an accepted call has at most 4096 bytes", peer.Read());
        if (!isAnswered)
        {
            Assert.Equal("end", peer.Read());
        }
    }

    [Fact]
    public async Task The_locator_has_64_connections_of_one_address_and_closes_silent_ones_after_10_seconds()
    {
        await using TestNode node = TestNode.Start("tcp://127.0.0.1:0");
        string at = node.Node.LocatorEndpoints[0];
        List<NativePeer> peers = [.. Enumerable.Range(0, 64).Select(_ => NativePeer.Connect(at))];
        peers.ForEach(Ask); // all are accepted
        using (NativePeer tooMany = NativePeer.Connect(at))
        {
            tooMany.Send([0x93, 7, 6, 0x90]);
            Assert.Equal("7 error 503 the client's address has too many connections", tooMany.Read());
            Assert.Equal("end", tooMany.Read());
        }

        Assert.Contains("locator: a connection of 127.0.0.1:", node.Log);
        Assert.Contains("was refused: its address has 64 already (1 refused so far)", node.Log);
        List<NativePeer> silent = [.. Enumerable.Range(0, 64).Select(_ => NativePeer.Connect(at))]; // each waits for a question to refuse
        using (NativePeer next65 = NativePeer.Connect(at))
        {
            Assert.Equal("end", next65.Read());
        }

        silent[3].Send([0x93, 9, 6, 0x90]);
        Assert.Equal("9 error 503 the client's address has too many connections", silent[3].Read());
        Assert.All(silent, peer => Assert.Equal("end", peer.Read()));
        silent.ForEach(peer => peer.Dispose());
        peers.ForEach(Again); // those with a place keep it
        peers[7].Dispose();
        NativePeer? next = null;
        for (bool isIn = false; !isIn;)
        {
            next?.Dispose();
            next = NativePeer.Connect(at); // the node hears of the end in its own time
            next.Send([0x93, 1, 6, 0x90]);
            isIn = next.Read() is var answer && answer.StartsWith("1 chunk ", StringComparison.Ordinal);
        }

        peers[7] = next!;
        long started = Environment.TickCount64;
        Assert.All(peers, peer => Assert.Equal("end", peer.Read()));
        Assert.InRange(Environment.TickCount64 - started, 5_000, 25_000);
        using NativePeer again = NativePeer.Connect(at);
        Ask(again);
        peers.ForEach(peer => peer.Dispose());

        static void Ask(NativePeer peer)
        {
            peer.Send([0x93, 1, 6, 0x90]);
            Assert.StartsWith("1 chunk ", peer.Read());
        }

        static void Again(NativePeer peer)
        {
            peer.Send([0x93, 2, 6, 0x90]);
            Assert.StartsWith("2 chunk ", peer.Read());
        }
    }

    /// <summary>64 addresses, each with as many connections as it may have: the next address finds no place, until the silent ones are closed.</summary>
    [Fact]
    public async Task The_locator_has_4096_connections_of_all_addresses_and_closes_them_when_they_are_silent()
    {
        await using TestNode node = TestNode.Start("tcp://127.0.0.1:0");
        string at = node.Node.LocatorEndpoints[0];
        List<NativePeer> peers = [];
        foreach (int host in Enumerable.Range(1, 64))
        {
            peers.AddRange(Enumerable.Range(0, 64).Select(_ => NativePeer.Connect(at, from: IPAddress.Parse($"127.0.1.{host}"))));
        }

        using (NativePeer tooMany = NativePeer.Connect(at, from: IPAddress.Parse("127.0.1.65")))
        {
            tooMany.Send([0x93, 7, 6, 0x90]);
            Assert.Equal("7 error 503 the locator has too many connections", tooMany.Read());
            Assert.Equal("end", tooMany.Read());
        }

        Assert.Contains("was refused: there are 4096 already (1 refused so far)", node.Log);
        Assert.All(peers, peer => Assert.Equal("end", peer.Read()));
        using NativePeer next = NativePeer.Connect(at, from: IPAddress.Parse("127.0.1.65"));
        next.Send([0x93, 1, 6, 0x90]);
        Assert.StartsWith("1 chunk ", next.Read());
        peers.ForEach(peer => peer.Dispose());
    }

    [Fact]
    public async Task The_control_socket_refuses_a_long_name_and_goes_on()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        using NativePeer peer = NativePeer.Connect(node.Endpoint);
        peer.Send(NativePeer.Opening(1, 0xda, 257));
        Assert.Equal("1 error 413 the name has 257 bytes, and a name has at most 256", peer.Read());
        peer.Send([.. new byte[257], .. NativePeer.Call(2, "list", "{}")]);
        Assert.Equal(("2 chunk []", "2 close"), (peer.Read(), peer.Read()));
        peer.Send(NativePeer.Opening(3, 0xdb, 60 << 20));
        Assert.Equal(("3 error 413 the name has 62914560 bytes, and a name has at most 256", "end"), (peer.Read(), peer.Read()));
        Assert.Empty(await node.Client.ListAsync());
    }

    [Fact]
    public async Task The_control_socket_answers_the_call_of_a_client_for_which_there_is_no_place()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        List<NativePeer> peers = [.. Enumerable.Range(0, 255).Select(_ => NativePeer.Connect(node.Endpoint))]; // beside the node's client
        using (NativePeer tooMany = NativePeer.Connect(node.Endpoint))
        {
            tooMany.Send(NativePeer.Call(7, "list", "{}"));
            Assert.Equal("7 error 503 the control socket has too many connections: end some watchers", tooMany.Read());
            Assert.Equal("end", tooMany.Read());
        }

        Assert.Contains("control: a connection was refused: there are 256 already (1 refused so far)", node.Node.Log);
        peers.ForEach(peer => peer.Dispose());
        Assert.Equal("1 chunk []", ListOnceThereIsRoom(node.Endpoint));
    }

    [Fact]
    public async Task The_control_socket_answers_the_call_of_an_identity_that_has_its_connections()
    {
        await using ControlledNode node = await ControlledNode.StartAsync(security: Rights.Security.Of($$"""
            { "identities": { "me": { "user": "{{Rights.Security.OwnUser}}", "connections": 2 } } }
            """));
        using (NativePeer second = NativePeer.Connect(node.Endpoint), third = NativePeer.Connect(node.Endpoint))
        {
            second.Send(NativePeer.Call(1, "list", "{}"));
            Assert.Equal("1 chunk []", second.Read());
            third.Send(NativePeer.Call(7, "list", "{}"));
            Assert.Equal("7 error 503 me has its 2 connections already", third.Read());
            Assert.Equal("end", third.Read());
        }

        Assert.Equal("1 chunk []", ListOnceThereIsRoom(node.Endpoint));
    }

    /// <summary>The answer to a call when the node has seen the ends of the connections before.</summary>
    private static string ListOnceThereIsRoom(string endpoint)
    {
        while (true)
        {
            using NativePeer next = NativePeer.Connect(endpoint);
            next.Send(NativePeer.Call(1, "list", "{}"));
            string answer = next.Read();
            if (!answer.Contains(" 503 ", StringComparison.Ordinal) && answer != "end")
            {
                return answer;
            }
        }
    }

    [Fact]
    public void The_bounds_are_those_of_the_documents() =>
        Assert.Equal((256, 4096, 65_536), (OpeningBounds.MaxNameBytes, OpeningBounds.MaxTagBytes, OpeningBounds.MaxMessageBytes));
}
