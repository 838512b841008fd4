using System.Net;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers.Native;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Drivers.Tests.Native;

/// <summary>Bytes that belong to no accepted call, and bytes of messages that are not finished: they are few, and not for ever.</summary>
public class UnpaidBytesTests
{
    private const int MiB = 1 << 20;

    public static TheoryData<string, byte, int> LongNames
    {
        get
        {
            TheoryData<string, byte, int> data = [];
            foreach (string door in (string[])["native-server", "native-sink"])
            {
                foreach (int length in (int[])[257, 65_000, 65_535, 60 * MiB])
                {
                    data.Add(door, length > ushort.MaxValue ? (byte)0xdb : (byte)0xda, length);
                    data.Add(door, length > ushort.MaxValue ? (byte)0xc6 : (byte)0xc5, length);
                }

                data.Add(door, 0xdb, 257);
                data.Add(door, 0xc6, 257);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(LongNames))]
    public async Task A_name_over_the_bound_is_refused_before_it_comes_and_a_short_rest_is_read(string door, byte family, int length)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App(door));
        using NativePeer peer = NativePeer.Connect(app.Endpoints[0].Endpoint), other = NativePeer.Connect(app.Endpoints[0].Endpoint);
        other.Send(NativePeer.Opening(1, 0xda, 4));
        peer.Send(NativePeer.Opening(7, family, length)); // and no byte of the name
        Assert.Equal($"7 error 413 the name has {length} bytes, and a name has at most 256", peer.Read());
        if (length + 20 > OpeningBounds.MaxMessageBytes)
        {
            Assert.Equal("end", peer.Read());
        }
        else
        {
            peer.Send(new byte[length]);
            peer.Send(NativePeer.Call(8, "event", "and on")); // the channels after it are as good as before
            Assert.StartsWith("8 ", peer.Read());
        }

        other.Send("echo"u8); // it was in the middle of its name all the time
        other.Send([0x93, 1, 2, 0x90]);
        Assert.StartsWith("1 ", other.Read());
        await app.UntilInfoShowsAsync("\"refused-names\":1,");
        Assert.Contains("a call of 127.0.0.1:", node.Log);
        Assert.Contains($"was refused: the name has {length} bytes", node.Log);
    }

    [Theory]
    [InlineData(0xd9)]
    [InlineData(0xda)]
    [InlineData(0xdb)]
    [InlineData(0xc4)]
    [InlineData(0xc5)]
    [InlineData(0xc6)]
    public async Task Names_at_the_bound_and_one_over_are_judged_alike_wherever_their_bytes_are_split(byte family)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App("native-server"));
        EventLoop loop = (EventLoop)app.Engine.Loop;
        using NativePeer peer = NativePeer.Connect(app.Endpoints[0].Endpoint);
        ulong channel = 0;
        foreach (int length in family is 0xd9 or 0xc4 ? (int[])[255] : [256, 257])
        {
            int size = NativePeer.Opening(1, family, length).Length + length;
            for (int split = 0; split < size; split++)
            {
                byte[] call = [.. NativePeer.Opening(++channel, family, length), .. Enumerable.Repeat((byte)'n', length)];
                peer.Send(call.AsSpan(0, split));
                while (split > 0 && await AskAsync(loop, () => loop.Partials.TotalBytes) == 0)
                {
                    await Task.Yield(); // until the loop has looked at the first part
                }

                peer.Send(call.AsSpan(split));
                peer.Send([0x93, 0xcd, (byte)(channel >> 8), (byte)channel, 2, 0x90]);
                string answer = peer.Read();
                Assert.True(answer.StartsWith($"{channel} error 413", StringComparison.Ordinal) == (length == 257), $"{split} of {length}: {answer}");
            }
        }

        Assert.Equal($"{++channel} chunk fine", peer.Echo(channel, "fine"));
        Assert.Equal(0, await AskAsync(loop, () => loop.Partials.TotalBytes));
    }

    [Fact]
    public async Task A_tag_and_headers_are_bounded_too_whole_and_unfinished()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App("native-server"));
        using NativePeer peer = NativePeer.Connect(app.Endpoints[0].Endpoint);
        peer.Send([0x93, 1, 0, 0x92, 0xa4, .. "echo"u8, .. NativePeer.Head(0xda, 4093), .. new byte[4093], 0x93, 1, 2, 0x90]);
        Assert.Equal("1 close", peer.Read()); // an echo of nothing: the tag is as long as it may be
        peer.Send([0x93, 2, 0, 0x92, 0xa4, .. "echo"u8, .. NativePeer.Head(0xda, 4094), .. new byte[4094]]);
        Assert.Equal("2 error 413 the tag has more than 4096 bytes", peer.Read());
        peer.Send([0x93, 3, 0, 0x92, 0xa4, .. "echo"u8, .. NativePeer.Head(0xda, 60_000)]);
        Assert.Equal("3 error 413 the tag has more than 4096 bytes", peer.Read());
        peer.Send([.. new byte[60_000], .. NativePeer.Call(4, "echo", "on")]);
        Assert.Equal(("4 chunk on", "4 close"), (peer.Read(), peer.Read()));
        peer.Send([0x94, 5, 0, 0x91, 0xa4, .. "echo"u8, 0x91, 0x93, 0xc2, 0xa1, (byte)'a', .. NativePeer.Head(0xdb, 60 * MiB)]);
        Assert.Equal("5 error 413 a message that is not of an accepted call has at most 65536 bytes", peer.Read());
        Assert.Equal("end", peer.Read());
    }

    /// <summary>A late message of a refused call may be long, but not of a peer that has never called an event that is served.</summary>
    [Fact]
    public async Task Before_the_first_call_of_a_served_event_no_message_is_long()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App("native-server", events: "echo"));
        byte[] chunk = [0x93, 0xcd, 0, 1, 0, 0x91, .. NativePeer.Head(0xc6, MiB)];
        using NativePeer stranger = NativePeer.Connect(app.Endpoints[0].Endpoint), known = NativePeer.Connect(app.Endpoints[0].Endpoint);
        Assert.Equal("2 chunk hi", known.Echo(2, "hi"));
        foreach (NativePeer peer in (NativePeer[])[stranger, known])
        {
            peer.Send([.. NativePeer.Opening(3, 0xda, 4), .. "none"u8]);
            Assert.StartsWith("3 error 404", peer.Read());
            peer.Send(chunk);
        }

        Assert.Equal("end", stranger.Read());
        known.Send(new byte[MiB]);
        Assert.Equal("4 chunk on", known.Echo(4, "on"));
    }

    [Fact]
    public async Task A_million_messages_that_come_in_pieces_are_whole_and_nothing_stays_counted()
    {
        const int Messages = 1_000_000, Window = 20_000;
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App("native-server"));
        EventLoop loop = (EventLoop)app.Engine.Loop;
        using NativePeer peer = NativePeer.Connect(app.Endpoints[0].Endpoint);
        peer.Send([.. NativePeer.Opening(1, 0xda, 4), .. "echo"u8]);
        byte[] window = [.. Enumerable.Range(0, Window).SelectMany(_ => (byte[])[0x93, 1, 0, 0x91, 0xa4, .. "byte"u8])];
        Random random = new(5);
        Task<int> reading = Task.Run(() =>
        {
            byte[] buffer = new byte[MiB];
            int letters = 0;
            while (letters < Messages)
            {
                letters += buffer.AsSpan(0, peer.Socket.Receive(buffer)).Count((byte)'y');
            }

            return letters;
        });
        for (int sent = 0; sent < Messages; sent += Window)
        {
            for (int at = 0; at < window.Length;)
            {
                at += peer.Socket.Send(window.AsSpan(at, Math.Min(random.Next(1, 50), window.Length - at)));
            }
        }

        Assert.Equal(Messages, await reading);
        Assert.Equal(0, await AskAsync(loop, () => loop.Partials.TotalBytes));
        Assert.Contains("\"refused-connections\":0,\"refused-names\":0,\"refused-messages\":0,\"stalled-messages\":0", await app.InfoJsonAsync());
    }

    [Fact]
    public async Task A_slow_upload_of_a_large_message_goes_on_and_one_that_stands_still_ends()
    {
        Assert.Equal(30_000, PartialMessages.UsualStallMs);
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App("native-server"));
        EventLoop loop = (EventLoop)app.Engine.Loop;
        Assert.Equal(30_000, await AskAsync(loop, () => loop.Partials.StallMs));
        await loop.RunAsync(() => loop.Partials.StallMs = 4000);
        using NativePeer slow = NativePeer.Connect(app.Endpoints[0].Endpoint), still = NativePeer.Connect(app.Endpoints[0].Endpoint);
        byte[] begun = [.. NativePeer.Opening(1, 0xda, 4), .. "echo"u8, 0x93, 1, 0, 0x91, .. NativePeer.Head(0xc6, 60 * MiB)];
        slow.Send(begun);
        still.Send(begun);
        byte[] part = new byte[6 * MiB];
        for (int parts = 0; parts < 9; parts++)
        {
            slow.Send(part);
            await Task.Delay(600); // in all more than the time that a message may stand still
        }

        Assert.Equal(("1 error 400 no byte of an unfinished message came for 30 s", "end"), (still.Read(), still.Read()));
        slow.Send([.. part, 0x93, 1, 2, 0x90]);
        byte[] answer = new byte[MiB];
        for (long left = 60 * MiB; left > 0;)
        {
            int count = slow.Socket.Receive(answer);
            Assert.True(count > 0);
            left -= count;
        }

        await app.UntilInfoShowsAsync("\"stalled-messages\":1,");
        Assert.Contains("was disconnected: no byte of an unfinished message came for 30 s (1 so far)", node.Log);
        Assert.Equal(0, await AskAsync(loop, () => loop.Partials.TotalBytes));
    }

    [Fact]
    public async Task Over_the_bound_of_a_loop_the_largest_message_without_progress_goes_and_the_others_are_whole()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App("native-server"));
        EventLoop loop = (EventLoop)app.Engine.Loop;
        int[] sizes = [20 * MiB, 63 * MiB, 25 * MiB, 35 * MiB, 35 * MiB];
        NativePeer[] peers = [.. sizes.Select(_ => NativePeer.Connect(app.Endpoints[0].Endpoint))];
        for (int i = 0; i < sizes.Length; i++)
        {
            peers[i].Send([.. NativePeer.Opening(1, 0xda, 4), .. "echo"u8, 0x93, 1, 0, 0x91, .. NativePeer.Head(0xc6, sizes[i])]);
            peers[i].Send(new byte[sizes[i] - 10]);
        }

        long sum = sizes.Sum(size => PartialMessages.ChargeOf(size));
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        while (await AskAsync(loop, () => loop.Partials.TotalBytes) < sum)
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        long quietMs = await AskAsync(loop, () => loop.ListenedMs) + 1000;
        while (await AskAsync(loop, () => loop.ListenedMs) < quietMs)
        {
            await Task.Delay(50);
        }

        using NativePeer last = NativePeer.Connect(app.Endpoints[0].Endpoint);
        last.Send([.. NativePeer.Opening(1, 0xda, 4), .. "echo"u8, 0x93, 1, 0, 0x91, .. NativePeer.Head(0xc6, 40 * MiB)]);
        last.Send(new byte[40 * MiB]);
        Assert.StartsWith("1 error 413 unfinished messages of all clients take over 192 MiB", peers[1].Read());
        Assert.Equal("end", peers[1].Read());
        foreach (int i in (int[])[0, 2, 3, 4])
        {
            peers[i].Send(new byte[10]);
            Assert.InRange(peers[i].Socket.Receive(new byte[MiB]), 1, MiB); // its echo begins
        }

        await app.UntilInfoShowsAsync("\"refused-messages\":1,");
        Assert.Equal(0, await AskAsync(loop, () => loop.Partials.TotalBytes));
        foreach (NativePeer peer in peers)
        {
            peer.Dispose();
        }
    }

    [Fact]
    public async Task An_address_has_so_many_connections_as_its_task_allows_and_gets_them_back()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App("native-server", keys: ("connections", 3L)));
        string at = app.Endpoints[0].Endpoint;
        for (int round = 1; round <= 3; round++)
        {
            NativePeer[] peers = [.. Enumerable.Range(0, 3).Select(_ => NativePeer.Connect(at))];
            Assert.All(peers, peer => Assert.Equal("1 chunk in", peer.Echo(1, "in")));
            using (NativePeer tooMany = NativePeer.Connect(at))
            {
                tooMany.Send(NativePeer.Call(7, "echo", "in"));
                Assert.Equal("7 error 503 the client's address has too many connections", tooMany.Read());
                Assert.Equal("end", tooMany.Read());
            }

            Assert.All(peers, peer => Assert.Equal("2 chunk still", peer.Echo(2, "still")));
            peers[1].Dispose();
            await app.UntilInfoShowsAsync("\"connections\":2,");
            using (NativePeer next = NativePeer.Connect(at))
            {
                Assert.Equal("1 chunk in its place", next.Echo(1, "in its place"));
            }

            Array.ForEach(peers, peer => peer.Dispose());
            await app.UntilInfoShowsAsync("\"connections\":0,");
            Assert.Contains($"\"refused-connections\":{round},", await app.InfoJsonAsync());
        }

        Assert.Contains("was refused: its address has 3 already (1 refused so far); when they are wanted, raise the task's 'connections'", node.Log);
        Assert.DoesNotContain("(3 refused so far)", node.Log); // 1, 2, 4, 8 …
    }

    [Fact]
    public async Task A_connection_without_a_channel_is_closed_after_its_idle_timeout_and_one_with_a_channel_is_not()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App("native-server", keys: ("idle-timeout", 1000L)));
        using NativePeer idle = NativePeer.Connect(app.Endpoints[0].Endpoint), busy = NativePeer.Connect(app.Endpoints[0].Endpoint);
        busy.Send([.. NativePeer.Opening(1, 0xda, 4), .. "echo"u8]); // open, and silent
        Assert.Equal("1 chunk hi", idle.Echo(1, "hi"));
        Assert.Equal("end", idle.Read());
        EventLoop loop = (EventLoop)app.Engine.Loop;
        long endMs = await AskAsync(loop, () => loop.ListenedMs) + 1500;
        while (await AskAsync(loop, () => loop.ListenedMs) < endMs)
        {
            await Task.Delay(50);
        }

        busy.Send([0x93, 1, 2, 0x90]);
        Assert.Equal("1 close", busy.Read());
        Assert.Equal("2 chunk more", busy.Echo(2, "more")); // the time counts from the end of its work
        Assert.Equal("end", busy.Read());
        await app.UntilInfoShowsAsync("\"idle-closed\":2");
    }

    [Fact]
    public void Only_peers_on_other_hosts_have_an_idle_timeout_that_the_manifest_does_not_give()
    {
        Assert.Equal(0, NativeServer.UsualIdleMs(null));
        Assert.All((string[])["127.0.0.1", "127.9.9.9", "::1"], address => Assert.Equal(0, NativeServer.UsualIdleMs(IPAddress.Parse(address))));
        Assert.All((string[])["10.0.0.1", "192.0.2.1", "2001:db8::1"], address => Assert.Equal(600_000, NativeServer.UsualIdleMs(IPAddress.Parse(address))));
    }

    private static async Task<long> AskAsync(EventLoop loop, Func<long> question)
    {
        long answer = 0;
        await loop.RunAsync(() => answer = question());
        return answer;
    }

    private static AppManifest App(string driver, string events = "*", params (string Key, object Value)[] keys)
    {
        AppManifest manifest = TestApps.DotNet(BackendType.Thread);
        return manifest with
        {
            Tasks =
            [
                new TaskManifest
                {
                    Name = "event", DriverType = driver, Endpoints = ["tcp://127.0.0.1:0"], Events = driver == "native-sink" ? [] : [events],
                    Keys = keys.ToDictionary(key => key.Key, key => key.Value),
                },
            ],
        };
    }
}
