using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.Raw;

/// <summary>raw-server with framing line, length32 and none, over real sockets.</summary>
public class RawFrameTests
{
    [Fact]
    public async Task Lines_run_side_by_side_and_are_answered_in_order()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.App("line", "line", new EngineSettings { PoolLimit = 4, PoolMinimum = 4, QueueLimit = 100 }));
        string release = Path.Combine(Path.GetTempPath(), $"release-{Guid.NewGuid():N}");
        using RawPeer peer = RawPeer.Connect(app);
        peer.Send($"hold {release}\n0 one\r\nfail with words\n\n0.01 two\n");
        await app.UntilInfoShowsAsync("\"running\":1");
        await app.UntilInfoShowsAsync("\"done\":3"); // all but the first, which keeps their answers back
        Assert.Equal(0, peer.Socket.Available);
        File.WriteAllText(release, "");
        Assert.Equal(["held", "one", "error 502 ValueError: with words (job 3)", "", "two"], Enumerable.Range(0, 5).Select(_ => peer.ReadLine()));
        peer.EndWriting();
        Assert.Empty(peer.ReadToEnd());
        File.Delete(release);
    }

    [Fact]
    public async Task A_peer_that_pipes_a_file_gets_every_answer_though_the_queue_is_short()
    {
        const int Count = 5000;
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.App("line", "line", new EngineSettings { PoolLimit = 2, QueueLimit = 3 }));
        using RawPeer peer = RawPeer.Connect(app);
        Task sending = Task.Run(() =>
        {
            for (int i = 0; i < Count; i++)
            {
                peer.Send($"0 {i}\n");
            }

            peer.EndWriting();
        });
        string[] lines = peer.ReadTextToEnd().Split('\n');
        await sending;
        Assert.Equal(Enumerable.Range(0, Count).Select(i => $"{i}").Append(""), lines);
        Assert.Contains($"\"frames\":{Count},\"refused\":0,", await app.InfoJsonAsync());
    }

    [Fact]
    public async Task An_unterminated_line_over_the_bound_is_answered_with_413_after_the_others_and_ends_the_connection()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.App("line", "line", keys: ("max-frame", 1000L)));
        using RawPeer peer = RawPeer.Connect(app);
        peer.Send("0.2 first\n" + new string('x', 1_000_000));
        Assert.Equal("first\nerror 413 longer than max-frame\n", peer.ReadTextToEnd());
        using RawPeer exact = RawPeer.Connect(app);
        exact.Send("0 " + new string('y', 998) + "\r\n0 " + new string('z', 999) + "\n");
        Assert.Equal(new string('y', 998), exact.ReadLine());
        Assert.Equal("error 413 longer than max-frame\n", exact.ReadTextToEnd());
        Assert.Contains("\"malformed\":2", await app.InfoJsonAsync());
    }

    [Fact]
    public async Task Half_a_line_is_no_line_and_a_byte_at_a_time_is_slow_and_right()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.DotNetApp("echo", "line"));
        using RawPeer peer = RawPeer.Connect(app);
        foreach (byte one in "slow\r\nhalf"u8)
        {
            peer.Send([one]);
        }

        Assert.Equal("slow", peer.ReadLine());
        peer.EndWriting();
        Assert.Empty(peer.ReadToEnd());
        await app.UntilInfoShowsAsync("\"malformed\":1");
        Assert.Equal(1UL, app.Engine.Counters.JobsAccepted);
    }

    [Fact]
    public async Task A_failure_within_an_answer_resets_the_connection()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.App("line", "line"));
        using RawPeer peer = RawPeer.Connect(app);
        peer.Send("late begun\n");
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => peer.ReadToEnd()).SocketErrorCode);
    }

    [Fact]
    public async Task A_peer_that_goes_away_cancels_all_of_its_jobs()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.App("line", "line",
            new EngineSettings { PoolLimit = 2, QueueLimit = 10, TerminationTimeoutMs = 300, HeartbeatTimeoutMs = 2000 }));
        using RawPeer peer = RawPeer.Connect(app);
        peer.Send("hold /nowhere/a\nhold /nowhere/b\nhold /nowhere/c\n");
        await app.UntilInfoShowsAsync("\"queued\":1,\"running\":2");
        peer.Reset();
        await app.UntilInfoShowsAsync("\"cancelled\":3");
        await app.UntilInfoShowsAsync("\"connections\":0,");
        using RawPeer other = RawPeer.Connect(app);
        other.Send("0 fine\n");
        Assert.Equal("fine", other.ReadLine());
    }

    [Fact]
    public async Task Long_answers_out_of_turn_wait_and_are_whole()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.App("line", "line", new EngineSettings { PoolLimit = 3, QueueLimit = 100 }));
        using RawPeer peer = RawPeer.Connect(app);
        peer.Send("0.3 first\nlong 5000000\nlong 7000000\n0 last\n");
        peer.EndWriting();
        string[] lines = peer.ReadTextToEnd().Split('\n');
        Assert.Equal([5, 5_000_000, 7_000_000, 4, 0], lines.Select(line => line.Length));
    }

    [Fact]
    public async Task Frames_with_their_length_are_answered_with_theirs()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.App("line", "length32", new EngineSettings { PoolLimit = 3, QueueLimit = 100 },
            keys: ("max-frame", 100_000L)));
        using RawPeer peer = RawPeer.Connect(app);
        peer.Send([.. Frame("0.1 first"), .. Frame("0 line\nbreak"), .. Frame(""), .. Frame("long 100000"), .. Frame("long 100001"), .. Frame("fail")]);
        Assert.Equal((false, "first"), ReadFrame(peer));
        Assert.Equal((false, "line\nbreak"), ReadFrame(peer));
        Assert.Equal((false, ""), ReadFrame(peer));
        Assert.Equal((false, new string('x', 100_000)), ReadFrame(peer));
        Assert.Equal((true, "error 413 the answer is longer than max-frame (job 5)"), ReadFrame(peer));
        Assert.Equal((true, "error 502 ValueError (job 6)"), ReadFrame(peer));
        peer.Send([.. Frame("0 last"), 0, 1, 0x86, 0xa1, 1, 2, 3]);
        Assert.Equal((false, "last"), ReadFrame(peer));
        Assert.Equal((true, "error 413 longer than max-frame"), ReadFrame(peer));
        Assert.Empty(peer.ReadToEnd());
    }

    [Fact]
    public async Task Without_framing_each_receive_is_a_job_and_a_failure_ends_the_connection()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.App("line", "none", keys: ("max-frame", 10L)));
        using RawPeer peer = RawPeer.Connect(app);
        peer.Send("0 one");
        Assert.Equal("one", Encoding.UTF8.GetString(peer.Read(3)));
        peer.Send("0 123456780 four"); // longer than max-frame: two jobs
        Assert.Equal("12345678four", Encoding.UTF8.GetString(peer.Read(12)));
        peer.Send("fail");
        Assert.Empty(peer.ReadToEnd());
    }

    private static byte[] Frame(string text)
    {
        byte[] frame = new byte[4 + Encoding.UTF8.GetByteCount(text)];
        BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - 4);
        Encoding.UTF8.GetBytes(text, frame.AsSpan(4));
        return frame;
    }

    private static (bool IsError, string Text) ReadFrame(RawPeer peer)
    {
        uint length = BinaryPrimitives.ReadUInt32BigEndian(peer.Read(4));
        return (length >> 31 != 0, Encoding.UTF8.GetString(peer.Read((int)(length & 0x7fff_ffff))));
    }
}
