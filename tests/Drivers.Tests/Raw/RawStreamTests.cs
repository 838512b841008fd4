using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.Raw;

/// <summary>raw-server with framing stream, over real sockets.</summary>
public class RawStreamTests
{
    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task Bytes_go_both_ways_as_they_come_and_a_half_close_is_respected(string kind)
    {
        string path = Path.Combine(Path.GetTempPath(), $"raw-{Guid.NewGuid():N}");
        string endpoint = kind == "tcp" ? "tcp://127.0.0.1:0" : $"ipc://{path}";
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.App("sizes", "stream", endpoint: endpoint));
        using RawPeer peer = RawPeer.Connect(app);
        peer.Send("12345");
        Assert.Equal("5", peer.ReadLine());
        peer.Send("678");
        Assert.Equal("8", peer.ReadLine());
        peer.EndWriting();
        Assert.Equal("end 8\n", peer.ReadTextToEnd());
        await app.UntilInfoShowsAsync("\"done\":1,");
        await app.UntilInfoShowsAsync("\"connections\":0,");
    }

    [Fact]
    public async Task The_app_may_speak_first_and_end_while_the_peer_still_sends()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.App("greet", "stream"));
        using RawPeer peer = RawPeer.Connect(app);
        Assert.Equal("hello", peer.ReadLine());
        peer.Send("hi");
        peer.Send(new byte[100_000]); // nobody reads it, and it takes nothing of the answer away
        Assert.StartsWith("you said hi", peer.ReadTextToEnd());
        peer.Socket.Dispose();
        await app.UntilInfoShowsAsync("\"connections\":0,");
    }

    [Fact]
    public async Task Sixty_megabytes_come_back_as_they_went()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.DotNetApp("echo", "stream"));
        using RawPeer peer = RawPeer.Connect(app);
        byte[] all = RandomNumberGenerator.GetBytes(60 << 20);
        Task sending = Task.Run(() =>
        {
            peer.Send(all);
            peer.EndWriting();
        });
        Assert.True(all.AsSpan().SequenceEqual(peer.ReadToEnd()));
        await sending;
    }

    [Fact]
    public async Task A_failed_job_and_a_refused_one_reset_the_connection()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.App("line", "stream", new EngineSettings { PoolLimit = 1, QueueLimit = 1 }));
        using RawPeer failing = RawPeer.Connect(app);
        failing.Send("late some");
        failing.EndWriting();
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => failing.ReadToEnd()).SocketErrorCode);

        using RawPeer running = RawPeer.Connect(app);
        await app.UntilInfoShowsAsync("\"running\":1");
        using RawPeer waiting = RawPeer.Connect(app);
        await app.UntilInfoShowsAsync("\"queued\":1");
        using RawPeer refused = RawPeer.Connect(app);
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => refused.ReadToEnd()).SocketErrorCode);
        await app.UntilInfoShowsAsync("\"refused\":1");
        running.Send("0 first");
        running.EndWriting();
        waiting.Send("0 second");
        waiting.EndWriting();
        Assert.Equal(("first", "second"), (running.ReadTextToEnd(), waiting.ReadTextToEnd()));
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task A_peer_that_goes_away_cancels_its_job(string kind)
    {
        string path = Path.Combine(Path.GetTempPath(), $"raw-{Guid.NewGuid():N}");
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.App("sizes", "stream", endpoint: kind == "tcp" ? "tcp://127.0.0.1:0" : $"ipc://{path}"));
        using RawPeer peer = RawPeer.Connect(app);
        peer.Send("1");
        Assert.Equal("1", peer.ReadLine());
        if (kind == "tcp")
        {
            peer.Reset();
        }
        else
        {
            peer.Dispose();
        }

        await app.UntilInfoShowsAsync("\"cancelled\":1");
        await app.UntilInfoShowsAsync("\"running\":0");
        await app.UntilInfoShowsAsync("\"connections\":0,");
    }

    [Fact]
    public async Task A_silent_peer_is_disconnected_after_the_idle_timeout_and_one_whose_job_works_is_not()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.App("line", "stream", keys: ("idle-timeout", 200L)));
        using RawPeer working = RawPeer.Connect(app);
        working.Send("1.5 done");
        working.EndWriting();
        using RawPeer silent = RawPeer.Connect(app);
        Assert.Throws<SocketException>(() => silent.ReadToEnd());
        Assert.Equal("done", working.ReadTextToEnd());
        Assert.Contains("\"idle-closed\":1", await app.InfoJsonAsync());
    }

    [Fact]
    public async Task A_long_request_waits_in_the_peer_while_its_job_waits_in_the_queue()
    {
        const int Size = 20 << 20;
        string release = Path.Combine(Path.GetTempPath(), $"release-{Guid.NewGuid():N}");
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(RawPeer.App("wait", "stream", new EngineSettings { PoolLimit = 1, QueueLimit = 2 }));
        using RawPeer running = RawPeer.Connect(app);
        running.Send($"{release}\n");
        await app.UntilInfoShowsAsync("\"running\":1");
        using RawPeer waiting = RawPeer.Connect(app);
        await app.UntilInfoShowsAsync("\"queued\":1");
        waiting.Send($"{release}\n");
        Task sending = Task.Run(() =>
        {
            waiting.Send(new byte[Size]);
            waiting.EndWriting();
        });
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
        int kept = 0;
        while (kept < EngineLimits.HighBacklogBytes)
        {
            limit.Token.ThrowIfCancellationRequested();
            await app.InfoJsonAsync(); // a turn of the loop
            Job? oldest = app.Engine.Queue.Oldest;
            kept = oldest?.Request.SizeBytes ?? 0;
        }

        for (int i = 0; i < 50; i++)
        {
            await app.InfoJsonAsync();
        }

        Assert.InRange(app.Engine.Queue.Oldest!.Request.SizeBytes, EngineLimits.HighBacklogBytes, 2 << 20);
        File.WriteAllText(release, "");
        running.EndWriting();
        Assert.Equal("0", running.ReadTextToEnd());
        Assert.Equal(Size.ToString(System.Globalization.CultureInfo.InvariantCulture), waiting.ReadTextToEnd());
        await sending;
        File.Delete(release);
    }

    [Fact]
    public async Task A_port_that_is_taken_fails_the_start()
    {
        await using TestNode node = TestNode.Start();
        RunningApp first = await node.AddAsync(RawPeer.DotNetApp("echo", "stream"));
        AppManifest second = RawPeer.DotNetApp("echo", "stream", endpoint: first.Endpoints[0].Endpoint) with { Name = "second" };
        NodeException failure = await Assert.ThrowsAsync<NodeException>(() => node.AddAsync(second));
        Assert.Contains("task echo: cannot listen on", failure.Message);
        Assert.Equal("fine", Encoding.UTF8.GetString(Echo(first)));
    }

    private static byte[] Echo(RunningApp app)
    {
        using RawPeer peer = RawPeer.Connect(app);
        peer.Send("fine");
        peer.EndWriting();
        return peer.ReadToEnd();
    }
}
