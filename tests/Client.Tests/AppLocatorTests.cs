using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Core.Protocol;
using CsCheck;

namespace Cocaine.Fast.Client.Tests;

/// <summary>Clients and locators: real nodes, and strangers in the place of a locator.</summary>
public sealed class AppLocatorTests
{
    private static readonly byte[] TwoAddresses =
        [0x93, 0x92, 0x92, 0xa9, .. "127.0.0.1"u8, 0xcd, 0x23, 0x8c, 0x92, 0xa3, .. "::1"u8, 0x07, 0x01, 0x80];

    private static readonly ClientOptions Quick = new() { ConnectTimeout = TimeSpan.FromMilliseconds(300) };

    [Fact]
    public void Addresses_are_read_in_their_order()
    {
        Assert.True(LocatorReply.TryRead(TwoAddresses, "tcp://", out IReadOnlyList<string> found));
        Assert.Equal(["tcp://127.0.0.1:9100", "tcp://[::1]:7"], found);
    }

    [Fact]
    public void Whatever_a_stranger_answers_gives_addresses_or_nothing()
    {
        Gen<byte[]> changed = Gen.Select(Gen.Int[0, TwoAddresses.Length - 1], Gen.Byte, Gen.Int[0, TwoAddresses.Length], (at, value, length) =>
        {
            byte[] bytes = [.. TwoAddresses];
            bytes[at] = value;
            return bytes[..length];
        });
        Gen.OneOf(changed, Gen.Byte.Array[0, 64]).Sample(
            bytes =>
            {
                if (LocatorReply.TryRead(bytes, "tcp://", out IReadOnlyList<string> found))
                {
                    Assert.NotEmpty(found);
                    Assert.All(found, one => Assert.True(Uri.TryCreate(one, UriKind.Absolute, out Uri? uri) && uri.Port is > 0 and <= 65535, one));
                }
            },
            iter: 100_000);
    }

    [Fact]
    public async Task A_client_connects_to_the_first_address_that_answers()
    {
        await using TestNode node = TestNode.Start("tcp://127.0.0.1:0");
        await node.AddAsync(TestApps.DotNet(Core.Manifest.BackendType.Thread));
        await using CocaineClient client = await CocaineClient.ConnectToAppAsync("dotnet-echo", node.Node.LocatorEndpoints[0]);
        Assert.Equal("hello", System.Text.Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("hello"))));
        CocaineException unknown = await Assert.ThrowsAsync<CocaineException>(() => CocaineClient.ConnectToAppAsync("dotnet-ech", node.Node.LocatorEndpoints[0]));
        Assert.Contains("dotnet-echo", unknown.Message); // the nearest name
    }

    [Fact]
    public async Task The_next_address_is_tried_when_one_does_not_answer()
    {
        await using TestNode node = TestNode.Start("tcp://127.0.0.1:0");
        Node.Apps.RunningApp app = await node.AddAsync(TestApps.DotNet(Core.Manifest.BackendType.Thread));
        int port = IPEndPoint.Parse(app.Endpoints[0].Endpoint["tcp://".Length..]).Port;
        byte[] answer =
        [
            0x93, 0x92, 0x92, 0xa9, .. "127.0.0.1"u8, 0x01, 0x92, 0xa9, .. "127.0.0.1"u8, 0xcd, (byte)(port >> 8), (byte)port, 0x01, 0x80,
        ];
        await using PlayedLocator locator = new(sink => MessageWriter.WriteArguments(sink, 1, answer));
        await using CocaineClient client = await CocaineClient.ConnectToAppAsync("app", locator.Endpoint);
        Assert.Equal("x", System.Text.Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("x"))));
    }

    [Fact]
    public async Task A_stranger_in_the_place_of_a_locator_is_told()
    {
        await using PlayedLocator odd = new(sink => MessageWriter.WriteValue(sink, 1, [0x2a]));
        ConnectionLostException failure = await Assert.ThrowsAsync<ConnectionLostException>(() => AppLocator.FindAsync("app", odd.Endpoint));
        Assert.Equal($"{odd.Endpoint} is no locator: its answer has no addresses", failure.Message);
        await using PlayedLocator silent = new(_ => { });
        failure = await Assert.ThrowsAsync<ConnectionLostException>(() => AppLocator.FindAsync("app", silent.Endpoint, Quick));
        Assert.Equal($"the locator {silent.Endpoint} does not answer within 0.3 s", failure.Message);
    }

    /// <summary>Takes one connection, and answers its first message.</summary>
    private sealed class PlayedLocator : IAsyncDisposable
    {
        private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _serves;

        public PlayedLocator(Action<MessageSink> answer)
        {
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _listener.Listen();
            _serves = ServeAsync(answer);
        }

        public string Endpoint => $"tcp://{_listener.LocalEndPoint}";

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _serves;
            _listener.Dispose();
            _stop.Dispose();
        }

        private async Task ServeAsync(Action<MessageSink> answer)
        {
            try
            {
                using MessagePeer peer = new(await _listener.AcceptAsync(_stop.Token));
                await peer.ReadAsync();
                await peer.SendAsync(answer);
                await Task.Delay(Timeout.Infinite, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                // the test is over
            }
        }
    }
}
