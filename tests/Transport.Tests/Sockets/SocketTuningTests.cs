using System.Net;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tests.Loop;

namespace Cocaine.Fast.Transport.Tests.Sockets;

/// <summary>
/// The congestion control of connections within the host. It must be chosen before the handshake: where the host's default is BBR, the
/// handshake switches the kernel's pacing of the connection on for good.
/// </summary>
public sealed class SocketTuningTests
{
    private const int TcpLevel = 6, CongestionControl = 13, SocketLevel = 1, AcceptsConnections = 30;

    /// <summary>Far more descriptors than a run of tests has.</summary>
    private const int MostDescriptors = 4096;

    [Theory]
    [InlineData("tcp://127.0.0.1:0")]
    [InlineData("tcp://*:0")]
    public async Task A_listeners_connections_within_the_host_have_no_pacing_from_the_handshake_on(string endpoint)
    {
        using EventLoop loop = new(new LogLines());
        loop.Start("test");
        TaskCompletionSource<string> accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Listener listener = Listener.Bind(loop, Endpoint.Parse(endpoint), 1, UnixFileMode.UserRead, descriptor =>
        {
            accepted.TrySetResult(NameOf(descriptor));
            _ = LibC.close(descriptor);
        })[0];
        Assert.Equal("reno", NameOf(DescriptorOf(listener))); // what is chosen later leaves the pacing on
        OnLoopThread.Run(loop, listener.Open);
        using Socket client = new(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.Loopback, ((IPEndPoint)listener.Address).Port);

        Assert.Equal("reno", await accepted.Task.WaitAsync(TimeSpan.FromSeconds(30)));
        OnLoopThread.Run(loop, listener.Dispose);
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("192.0.2.7", false)]
    public void A_socket_that_connects_within_the_host_has_no_pacing_and_another_one_is_as_the_host_says(string address, bool isWithin)
    {
        IPAddress to = IPAddress.Parse(address);
        using Socket socket = new(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        string hosts = NameOf((int)socket.Handle);
        SocketTuning.PrepareConnect((int)socket.Handle, new IPEndPoint(to, 9));
        Assert.Equal(isWithin ? "reno" : hosts, NameOf((int)socket.Handle));
    }

    [Fact]
    public void The_hosts_choice_is_told_for_those_that_get_it_back()
    {
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        string hosts = NameOf((int)socket.Handle);
        Assert.Equal(hosts, Encoding.ASCII.GetString(SocketTuning.TakePacingOff((int)socket.Handle)));
        Assert.Equal("reno", Encoding.ASCII.GetString(SocketTuning.TakePacingOff((int)socket.Handle)));
    }

    /// <summary>The listening socket of this process with the listener's address.</summary>
    private static unsafe int DescriptorOf(Listener listener)
    {
        int port = ((IPEndPoint)listener.Address).Port;
        return Enumerable.Range(0, MostDescriptors).Single(descriptor =>
        {
            int accepts = 0;
            uint length = sizeof(int);
            return LibC.getsockopt(descriptor, SocketLevel, AcceptsConnections, &accepts, &length) == 0 && accepts != 0
                && PortOf(descriptor) == port;
        });
    }

    private static unsafe int PortOf(int descriptor)
    {
        byte* address = stackalloc byte[128];
        uint length = 128;
        return LibC.getsockname(descriptor, address, &length) == 0 ? (address[2] << 8) | address[3] : -1;
    }

    private static unsafe string NameOf(int descriptor)
    {
        byte* name = stackalloc byte[16];
        uint length = 16;
        Assert.Equal(0, LibC.getsockopt(descriptor, TcpLevel, CongestionControl, name, &length));
        return Encoding.ASCII.GetString(name, (int)length).TrimEnd('\0');
    }
}
