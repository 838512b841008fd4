using Cocaine.Fast.Drivers.ZeroMq;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq;

/// <summary>Every request to the control socket of 2012 gets one answer, whatever becomes of it.</summary>
public sealed class JsonControlSocketTests : IAsyncLifetime
{
    private const int MoreThanPending = 70;

    private readonly LogLines _log = new();
    private readonly ZeroMqPeer _peer = new();
    private readonly TaskCompletionSource<byte[]> _late = new();
    private readonly EventLoop _loop;

    public JsonControlSocketTests()
    {
        _loop = new EventLoop(_log);
        _loop.Start("loop");
    }

    public async Task InitializeAsync()
    {
        JsonControlSocket socket = new(new ClosingSockets(), _loop, _log, (request, _) => request[0] switch
        {
            (byte)'t' => throw new ArgumentException("before its task"),
            (byte)'f' => Task.FromException<byte[]>(new ArgumentException("in its task")),
            (byte)'c' => Task.FromCanceled<byte[]>(new CancellationToken(true)),
            (byte)'l' => _late.Task,
            _ => Task.FromResult(request),
        }, TimeSpan.FromMilliseconds(100));
        await _loop.RunAsync(() => socket.Open("tcp://127.0.0.1:0"));
        await _peer.OpenAsync("control", "REQ", Assert.Single(socket.Endpoints));
    }

    public Task DisposeAsync()
    {
        _peer.Dispose();
        _loop.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_request_that_fails_in_any_way_is_answered_and_logged()
    {
        foreach (string request in (string[])["throws", "fails", "cancelled"])
        {
            Assert.Equal("""{"error":"an internal fault: see the node's log"}""", await AskAsync(request));
        }

        Assert.Equal("good", await AskAsync("good"));
        Assert.Equal(3, _log.Lines.Count(line => line.Contains("a request failed in a way that nobody expected")));
    }

    /// <summary>More than may be under way at once: each gives its place back.</summary>
    [Fact]
    public async Task A_request_without_an_answer_is_told_so_in_time_and_its_place_is_free_again()
    {
        for (int i = 0; i < MoreThanPending; i++)
        {
            Assert.Contains("no answer in time", await AskAsync("late"));
        }

        _late.SetResult("too late"u8.ToArray());
        Assert.Equal("good", await AskAsync("good")); // and not what came too late
    }

    private async Task<string> AskAsync(string request)
    {
        await _peer.SendTextAsync("control", request);
        return (await _peer.ReceiveTextAsync("control"))[^1];
    }
}
