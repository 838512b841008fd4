using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Client.Tests.Tls;

namespace Cocaine.Fast.Client.Tests;

/// <summary>The socket of a connection that was made.</summary>
[Collection(nameof(Alone))]
public class ConnectedSocketTests
{
    [Fact]
    public async Task Nobody_but_the_loop_watches_it()
    {
        using Socket listener = new(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        await using CocaineClient client = await CocaineClient.ConnectAsync($"tcp://127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}");
        Assert.Equal(1, await WatchersOfAsync(client));
    }

    [Fact]
    public async Task Nobody_but_the_loop_watches_it_after_a_handshake()
    {
        using TestFolder folder = new();
        TestCertificates certificates = new(folder);
        using OpenSslServer server = await OpenSslServer.StartAsync(certificates.IssueServer());
        ClientOptions options = new() { Tls = new ClientTls { CaFile = certificates.CaFile } };
        await using CocaineClient client = await CocaineClient.ConnectAsync(server.Endpoint, options);
        Assert.Equal(1, await WatchersOfAsync(client));
    }

    /// <summary>The watchers once the client's loop is one of them: it takes the connection over in its own time.</summary>
    private static async Task<int> WatchersOfAsync(CocaineClient client)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30));
        int count;
        while ((count = WatchersOf(client.Connection.Descriptor)) == 0)
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        return count;
    }

    /// <summary>The entries for a socket in all of the process's epolls; an entry outlives the descriptor that it was made with.</summary>
    private static int WatchersOf(int descriptor)
    {
        string link = new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget!;
        string inode = long.Parse(link["socket:[".Length..^1], CultureInfo.InvariantCulture).ToString("x", CultureInfo.InvariantCulture);
        int count = 0;
        foreach (string file in Directory.GetFiles("/proc/self/fdinfo"))
        {
            try
            {
                count += File.ReadAllLines(file).Count(line => line.StartsWith("tfd:", StringComparison.Ordinal) && line.Contains($"ino:{inode} "));
            }
            catch (IOException)
            {
                // a descriptor that is closed meanwhile
            }
        }

        return count;
    }
}
