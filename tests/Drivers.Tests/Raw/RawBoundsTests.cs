using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Drivers.Tests.Raw;

/// <summary>The bounds of peers that finish nothing, at the framings of a raw-server.</summary>
public class RawBoundsTests
{
    private const int StallMs = 500;

    [Theory]
    [InlineData("line", "answer\n", "ask\nhalf a li")]
    [InlineData("length32", "answer", "ask")]
    public async Task A_frame_that_stands_still_ends_its_connection_after_the_answers_that_are_owed(string framing, string answer, string sent)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.App("line", framing));
        await StallSoonAsync(app);
        using RawPeer peer = RawPeer.Connect(app), other = RawPeer.Connect(app);
        sent = sent.Replace("ask", "1 " + answer.TrimEnd());
        peer.Send(framing == "line" ? Encoding.ASCII.GetBytes(sent) : [0, 0, 0, (byte)sent.Length, .. Encoding.ASCII.GetBytes(sent), 0, 0, 1, 0, 1, 2]);
        string all = peer.ReadTextToEnd(); // the job takes longer than the frame may stand still
        Assert.Contains(answer, all);
        Assert.Contains("error 400 no byte of an unfinished message came for 30 s", all);
        Assert.True(all.IndexOf(answer, StringComparison.Ordinal) < all.IndexOf("error 400", StringComparison.Ordinal), all);
        other.Send(framing == "line" ? "0 fine\n"u8 : [0, 0, 0, 6, .. "0 fine"u8]);
        other.EndWriting();
        Assert.Contains("fine", other.ReadTextToEnd());
        await app.UntilInfoShowsAsync("\"refused-messages\":0,\"stalled-messages\":1");
    }

    /// <summary>The node itself does not read: 64 jobs of the connection run, and the next frames wait in the node and in the kernel.</summary>
    [Fact]
    public async Task Frames_that_wait_for_the_node_do_not_stand_still()
    {
        const int Frames = 200;
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(
            RawPeer.App("line", "line", new EngineSettings { PoolLimit = 1, Concurrency = 64, QueueLimit = 1000 }));
        EventLoop loop = await StallSoonAsync(app);
        string file = Path.Combine(Path.GetTempPath(), $"go-{Guid.NewGuid():N}");
        using RawPeer peer = RawPeer.Connect(app);
        peer.Send(string.Concat(Enumerable.Repeat($"hold {file}\n", Frames)));
        long endMs = 0;
        await loop.RunAsync(() => endMs = loop.ListenedMs + (3 * StallMs));
        for (long nowMs = 0; nowMs < endMs;)
        {
            await Task.Delay(50);
            await loop.RunAsync(() => nowMs = loop.ListenedMs);
        }

        await File.WriteAllTextAsync(file, "");
        for (int i = 0; i < Frames; i++)
        {
            Assert.Equal("held", peer.ReadLine());
        }

        File.Delete(file);
        long held = -1;
        await loop.RunAsync(() => held = loop.Partials.TotalBytes);
        Assert.Equal(0, held);
        Assert.Contains("\"stalled-messages\":0", await app.InfoJsonAsync());
    }

    [Fact]
    public async Task An_address_has_so_many_connections_as_its_task_allows()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.App("line", "line", keys: ("connections", 2L)));
        using RawPeer one = RawPeer.Connect(app);
        using (RawPeer two = RawPeer.Connect(app))
        {
            Assert.All((RawPeer[])[one, two], peer =>
            {
                peer.Send("0 in\n");
                Assert.Equal("in", peer.ReadLine());
            });
            using RawPeer three = RawPeer.Connect(app);
            Assert.Empty(three.ReadToEnd());
        }

        await app.UntilInfoShowsAsync("\"connections\":1,");
        using RawPeer again = RawPeer.Connect(app);
        again.Send("0 again\n");
        Assert.Equal("again", again.ReadLine());
        await app.UntilInfoShowsAsync("\"refused-connections\":1,");
        Assert.Contains("raise the task's 'connections'", node.Log);
    }

    private static async Task<EventLoop> StallSoonAsync(RunningApp app)
    {
        EventLoop loop = (EventLoop)app.Engine.Loop;
        await loop.RunAsync(() => loop.Partials.StallMs = StallMs);
        return loop;
    }
}
