using System.Net;
using System.Net.Sockets;

namespace Cocaine.Fast.Client.Tests;

/// <summary>Nodes that go away or talk nonsense, played by a plain socket: no call is left without an end.</summary>
public sealed class LostConnectionTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly Socket _listener = new(SocketType.Stream, ProtocolType.Tcp);

    public LostConnectionTests()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
    }

    private string Endpoint => $"tcp://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}";

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task Calls_under_way_fail_when_the_node_goes_and_so_does_each_later_one()
    {
        (CocaineClient client, Socket node) = await ConnectAsync();
        await using (client)
        {
            Task<byte[]>[] calls = [.. Enumerable.Range(0, 20).Select(_ => client.CallAsync("echo", Utf8.Of("x")))];
            await node.ReceiveAsync(new byte[1]).WaitAsync(Limit); // they are under way
            node.Dispose();
            foreach (Task<byte[]> call in calls)
            {
                await Assert.ThrowsAsync<ConnectionLostException>(() => call.WaitAsync(Limit));
            }

            await Assert.ThrowsAsync<ConnectionLostException>(() => client.CallAsync("echo", Utf8.Of("x")).WaitAsync(Limit));
            await Assert.ThrowsAsync<ConnectionLostException>(() => client.InfoAsync().WaitAsync(Limit));
        }
    }

    [Fact]
    public async Task A_stream_that_is_read_fails_when_the_node_goes()
    {
        (CocaineClient client, Socket node) = await ConnectAsync();
        await using (client)
        {
            await using ClientCall call = client.Open("echo");
            Task<ReadOnlyMemory<byte>?> reading = call.ReadAsync().AsTask();
            await node.ReceiveAsync(new byte[1]).WaitAsync(Limit);
            node.Close(0); // a reset
            await Assert.ThrowsAsync<ConnectionLostException>(() => reading.WaitAsync(Limit));
        }
    }

    [Theory]
    [InlineData(new byte[] { 0xc1 })]
    [InlineData(new byte[] { (byte)'H', (byte)'T', (byte)'T', (byte)'P' })]
    [InlineData(new byte[] { 0x93, 0xa1, (byte)'x', 0x00, 0x90 })]
    public async Task Bytes_that_are_no_message_end_the_calls(byte[] bytes)
    {
        (CocaineClient client, Socket node) = await ConnectAsync();
        await using (client)
        using (node)
        {
            Task<byte[]> call = client.CallAsync("echo", Utf8.Of("x"));
            await node.ReceiveAsync(new byte[1]).WaitAsync(Limit);
            await node.SendAsync(bytes);
            await Assert.ThrowsAsync<ConnectionLostException>(() => call.WaitAsync(Limit));
        }
    }

    [Fact]
    public async Task A_client_that_is_disposed_ends_its_calls_and_may_be_disposed_again()
    {
        (CocaineClient client, Socket node) = await ConnectAsync();
        using (node)
        {
            Task<byte[]> call = client.CallAsync("echo", Utf8.Of("x"));
            await node.ReceiveAsync(new byte[1]).WaitAsync(Limit);
            await client.DisposeAsync();
            await client.DisposeAsync();
            await Assert.ThrowsAsync<ConnectionLostException>(() => call.WaitAsync(Limit));
            await Assert.ThrowsAsync<ConnectionLostException>(() => client.CallAsync("echo", Utf8.Of("x")).WaitAsync(Limit));
        }
    }

    [Fact]
    public async Task A_cancelled_call_ends_at_once_also_when_the_node_says_nothing()
    {
        (CocaineClient client, Socket node) = await ConnectAsync();
        await using (client)
        using (node)
        using (CancellationTokenSource stop = new())
        {
            Task<byte[]> call = client.CallAsync("echo", Utf8.Of("x"), cancellation: stop.Token);
            await node.ReceiveAsync(new byte[1]).WaitAsync(Limit);
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(Limit));
        }
    }

    [Fact]
    public async Task An_endpoint_where_nobody_listens_is_named()
    {
        string endpoint = Endpoint;
        _listener.Dispose();
        ConnectionLostException refused = await Assert.ThrowsAsync<ConnectionLostException>(() => CocaineClient.ConnectAsync(endpoint));
        Assert.StartsWith($"cannot connect to {endpoint}: ", refused.Message);
        ConnectionLostException missing = await Assert.ThrowsAsync<ConnectionLostException>(() => CocaineClient.ConnectAsync("ipc:///no/such.sock"));
        Assert.Equal("cannot connect to ipc:///no/such.sock: there is no such socket", missing.Message);
        await Assert.ThrowsAsync<FormatException>(() => CocaineClient.ConnectAsync("nowhere"));
    }

    [Fact]
    public async Task A_name_that_is_too_long_for_an_event_is_refused_before_anything_is_sent()
    {
        (CocaineClient client, Socket node) = await ConnectAsync();
        await using (client)
        using (node)
        {
            await Assert.ThrowsAsync<FormatException>(() => client.CallAsync(new string('e', 100_000), Utf8.Of("x")));
            await client.DisposeAsync();
            Assert.Equal(0, await node.ReceiveAsync(new byte[16]).WaitAsync(Limit));
        }
    }

    private async Task<(CocaineClient Client, Socket Node)> ConnectAsync()
    {
        Task<Socket> accepting = _listener.AcceptAsync();
        return (await CocaineClient.ConnectAsync(Endpoint), await accepting.WaitAsync(Limit));
    }
}
