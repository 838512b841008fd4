using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Control;
using static Cocaine.Fast.Host.Tests.Cluster.ClusterNodes;

namespace Cocaine.Fast.Host.Tests.Cluster;

/// <summary>The locator of a node of a cluster: real processes and a real engine.</summary>
[Collection(nameof(Alone))]
public sealed class LocatorTests : ClusterTest
{
    [NeedsFact("nats-server", "nats-server")]
    public async Task It_names_all_nodes_that_run_the_app_in_turns_and_none_that_is_down()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        ServeProcess[] all = await Task.WhenAll(((string[])["a", "b", "c"]).Select(
            name => Nodes.StartAsync(name, SectionOf(name, engine.Url), "\"locator\": \"tcp://127.0.0.1:0\",")));
        ClusterAnswer cluster = await SeesAsync(all[0], "a up", "b up", "c up");
        string locator = cluster.Nodes[0].Locator[0];
        Assert.Equal(0, (await all[1].RunAsync("app", "create", Folder.Manifest("echo"))).Code);
        string[] endpoints = await NamedAsync(locator, 3);
        HashSet<string> firsts = [];
        for (int i = 0; i < 60; i++)
        {
            IReadOnlyList<string> found = await AppLocator.FindAsync("echo/echo", locator);
            Assert.Equal(endpoints, found.Order());
            firsts.Add(found[0]);
        }

        Assert.Equal(endpoints, firsts.Order()); // one of 60 random orders begins with each
        foreach (string endpoint in endpoints)
        {
            await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
            Assert.Equal("x", Encoding.UTF8.GetString(await client.CallAsync("echo", "x"u8.ToArray())));
        }

        Assert.Contains(cluster.Nodes[0].Uuid, await AskAsync(locator, 6));
        string known = await AskAsync(locator, 3);
        Assert.All(cluster.Nodes, node => Assert.Contains(node.Uuid, known));
        Assert.Equal(0, (await all[0].RunAsync("app", "create", Folder.Manifest("mine"), "--local")).Code);
        Assert.Single(await AppLocator.FindAsync("mine", locator));
        await Assert.ThrowsAsync<CocaineException>(() => AppLocator.FindAsync("mine", cluster.Nodes[1].Locator[0]));
        Kill(all[1]);
        await NamedAsync(locator, 2);
        Assert.DoesNotContain(cluster.Nodes[1].Uuid, await AskAsync(locator, 3));
        Assert.Equal(0, (await all[0].RunAsync("cluster", "leave")).Code);
        Assert.DoesNotContain(cluster.Nodes[0].Uuid, await AskAsync(locator, 6)); // alone
    }

    /// <summary>Asks until so many nodes are named.</summary>
    private static async Task<string[]> NamedAsync(string locator, int nodes)
    {
        string[] found = [];
        for (long until = Environment.TickCount64 + 40_000; found.Length != nodes; await Task.Delay(20)) // a locator tells nobody when it changes
        {
            Assert.True(Environment.TickCount64 < until, string.Join(' ', found));
            try
            {
                found = [.. (await AppLocator.FindAsync("echo", locator)).Order()];
            }
            catch (CocaineException)
            {
                // no node has the app yet
            }
        }

        return found;
    }

    private static async Task<string> AskAsync(string locator, byte method)
    {
        using TcpClient peer = new("127.0.0.1", int.Parse(locator.Split(':')[^1], System.Globalization.CultureInfo.InvariantCulture));
        MemorySink sink = new();
        MessageWriter.WriteEmpty(sink, 1, method);
        await peer.GetStream().WriteAsync(sink.Written.ToArray());
        byte[] answer = new byte[4096];
        int length = await peer.GetStream().ReadAsync(answer).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        return Encoding.Latin1.GetString(answer, 0, length);
    }
}
