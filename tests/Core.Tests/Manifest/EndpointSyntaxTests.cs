using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Tests.Manifest;

public class EndpointSyntaxTests
{
    [Theory]
    [InlineData("ipc:///run/x.sock", true)]
    [InlineData("tcp://lo:1", true)]
    [InlineData("tcp://localhost:1", true)]
    [InlineData("tcp://LOCALHOST:1", true)]
    [InlineData("tcp://127.0.0.1:0", true)]
    [InlineData("tcp://127.255.0.9:1", true)]
    [InlineData("tcp://[::1]:1", true)]
    [InlineData("tcp://[0:0:0:0:0:0:0:1]:1", true)]
    [InlineData("tcp://*:1", false)]
    [InlineData("tcp://0.0.0.0:1", false)]
    [InlineData("tcp://[::]:1", false)]
    [InlineData("tcp://12.7.0.1:1", false)]
    [InlineData("tcp://192.0.2.1:127", false)]
    [InlineData("tcp://[2001:db8::1]:1", false)]
    [InlineData("tcp://eth0:1", false)]
    [InlineData("tcp://lo0:1", false)]
    [InlineData("tcp://loopback:1", false)] // a name that may mean any host
    [InlineData("tcp://127.example.org:1", false)]
    [InlineData("tcp://localhost.example.org:1", false)]
    public void Only_this_host_reaches_an_endpoint_or_others_do(string endpoint, bool isOnThisHost)
    {
        Assert.Null(EndpointSyntax.Problem(endpoint, takesUnix: true));
        Assert.Equal(isOnThisHost, EndpointSyntax.IsOnThisHost(endpoint));
    }
}
