using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.Base;

/// <summary>The endpoints of a manifest as what is bound.</summary>
public class EndpointTests
{
    [Fact]
    public async Task An_interface_is_all_of_its_addresses_on_one_free_port_and_a_Unix_socket_is_its_owners_alone_and_goes_with_the_app()
    {
        string path = Path.Combine(Path.GetTempPath(), $"endpoint-{Guid.NewGuid():N}.sock");
        using (Socket killed = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            killed.Bind(new UnixDomainSocketEndPoint(path + "-"));
            File.Move(path + "-", path); // so that .NET leaves it, as a node that was killed does
        }

        Assert.True(File.Exists(path));
        AppManifest manifest = TestApps.DotNet(BackendType.Thread);
        await using (TestNode node = TestNode.Start())
        {
            RunningApp app = await node.AddAsync(manifest with { Tasks = [manifest.Tasks[0] with { Endpoints = ["tcp://lo:0", $"ipc://{path}"] }] });
            string[] endpoints = [.. app.Endpoints.Select(at => at.Endpoint)];
            Assert.Equal($"ipc://{path}", endpoints[^1]);
            int addresses = NetworkInterface.GetAllNetworkInterfaces().Single(one => one.Name == "lo").GetIPProperties().UnicastAddresses.Count;
            Assert.Equal(addresses, endpoints.Length - 1);
            Assert.StartsWith("tcp://127.0.0.1:", endpoints[0]);
            string port = Assert.Single(endpoints[..^1].Select(at => at[(at.LastIndexOf(':') + 1)..]).Distinct());
            Assert.NotEqual("0", port);
            foreach (string endpoint in endpoints)
            {
                await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
                Assert.Equal(endpoint, Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of(endpoint))));
            }

            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }

        Assert.False(File.Exists(path));
    }
}
