using System.Net;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Transport.Tests.Sockets;

/// <summary>Endpoints as manifests and commands have them.</summary>
public class EndpointTests
{
    [Theory]
    [InlineData("tcp://127.0.0.1:80", "127.0.0.1", 80)]
    [InlineData("tcp://[::1]:0", "::1", 0)]
    [InlineData("127.0.0.1:9", "127.0.0.1", 9)]
    public void Endpoints_are_read(string text, string host, int port)
    {
        Endpoint endpoint = Endpoint.Parse(text);
        Assert.Equal((host, port), (endpoint.Host, endpoint.Port));
    }

    [Fact]
    public void An_interface_name_stands_for_all_of_its_addresses() =>
        Assert.Contains(Endpoint.Parse("tcp://lo:80").ListenAddresses(), address => address.ToString() == "127.0.0.1:80");

    [Theory]
    [InlineData("tcp://host")]
    [InlineData("ipc://relative")]
    [InlineData("tcp://h:99999")]
    [InlineData("tcp://0177.0.0.1:80")] // octal here, decimal elsewhere
    [InlineData("tcp://127.1:80")]
    [InlineData("tcp://2130706433:80")]
    public void What_is_no_endpoint_says_so(string text) => Assert.Throws<FormatException>(() => Endpoint.Parse(text));

    [Theory]
    [InlineData("tcp://host:")]
    [InlineData("tcp://host:-1")]
    [InlineData("tcp://host:+1")]
    [InlineData("tcp://:80")]
    [InlineData("ipc:///")]
    [InlineData("ipc:///tmp/éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé")] // 65 letters of 125 bytes
    [InlineData("")]
    public void Half_an_endpoint_is_none(string text) => Assert.Throws<FormatException>(() => Endpoint.Parse(text));

    [Fact]
    public void The_longest_path_of_a_Unix_socket_is_taken_and_a_longer_one_is_not()
    {
        string longest = "/" + new string('p', UnixName.MaxPathBytes - 1);
        Assert.Equal(longest, Endpoint.Parse($"ipc://{longest}").Path);
        Assert.Throws<FormatException>(() => Endpoint.Parse($"ipc://{longest}p"));
    }

    [Fact]
    public void All_addresses_are_listened_on_and_one_is_connected_to()
    {
        Endpoint all = Endpoint.Parse("tcp://*:80");
        Assert.True(((IPEndPoint)Assert.Single(all.ListenAddresses())).Address is var any && (any.Equals(IPAddress.IPv6Any) || any.Equals(IPAddress.Any)));
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 80), Assert.Single(all.ConnectAddresses()));
    }

    [Fact]
    public void A_host_that_nobody_knows_is_named()
    {
        IOException failure = Assert.Throws<IOException>(() => Endpoint.Parse("tcp://no-such-host.invalid:80").ListenAddresses());
        Assert.Contains("'no-such-host.invalid' is no address, no interface of this machine and no known name", failure.Message);
    }
}
