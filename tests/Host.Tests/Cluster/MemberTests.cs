using Cocaine.Fast.Node.Control;
using static Cocaine.Fast.Host.Tests.Cluster.ClusterNodes;

namespace Cocaine.Fast.Host.Tests.Cluster;

/// <summary>Nodes that meet at a real engine: real processes, which are killed, copied and cut off.</summary>
[Collection(nameof(Alone))]
public sealed class MemberTests : ClusterTest
{
    [NeedsFact("nats-server", "nats-server")]
    public async Task Three_nodes_meet_by_one_address_and_a_killed_one_is_down_until_it_is_back()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        ServeProcess[] all = await Task.WhenAll(((string[])["a", "b", "c"]).Select(name => Nodes.JoinAsync(name, engine.Url)));
        string[] clusters = new string[3];
        for (int i = 0; i < 3; i++)
        {
            clusters[i] = (await SeesAsync(all[i], "a up", "b up", "c up")).Cluster!;
        }

        Assert.Single(clusters.Distinct());
        Kill(all[1]);
        await SeesAsync(all[0], "a up", "b down", "c up");
        (int code, string list, _) = await all[0].RunAsync("cluster", "list");
        Assert.Equal(0, code);
        Assert.Matches(@"(?m)^b +down \d+ s +127\.0\.0\.1 ", list);
        Assert.Equal((2, "", "node c is up: stop it first, or run 'cluster leave' there\n"), await all[0].RunAsync("cluster", "remove", "c"));
        Assert.Equal((2, "", "no node x is in the cluster\n"), await all[0].RunAsync("cluster", "remove", "x"));
        await Nodes.JoinAsync("b", engine.Url);
        await SeesAsync(all[0], "a up", "b up", "c up");
        all[2].Signal("TERM");
        await SeesAsync(all[0], "a up", "b up", "c down"); // it says goodbye
        ServeProcess late = await Nodes.StartAsync("d", SectionOf("d", engine.Url));
        ClusterAnswer first = await UntilAsync(late, cluster => cluster.State == "attached");
        Assert.Contains("c down", first.Nodes.Select(one => $"{one.Node} {one.State}")); // its record says so to a node that never heard it
        Kill(late);
        await SeesAsync(all[0], "a up", "b up", "c down", "d down");
        Assert.Equal((0, "removed node=d\n", ""), await all[0].RunAsync("cluster", "remove", "d"));
        Assert.Equal((0, "removed node=c\n", ""), await all[0].RunAsync("cluster", "remove", "c"));
        await SeesAsync(all[0], "a up", "b up");
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task A_node_joins_and_leaves_without_a_restart_and_alone_it_has_nothing_of_the_engine()
    {
        using NatsServer engine = await NatsServer.StartNewAsync(), other = await NatsServer.StartNewAsync();
        ServeProcess node = await Nodes.StartAsync("a", "\"name\": \"a\"");
        string library = $"/proc/{node.Process.Id}/maps";
        Assert.Equal("alone", (await UntilAsync(node, _ => true)).State);
        Assert.Equal((0, "", "the node is in no cluster: 'cluster join nats://HOST:PORT' makes it a member\n"), await node.RunAsync("cluster", "list"));
        Assert.DoesNotContain("NATS.", File.ReadAllText(library));
        Assert.False(Directory.Exists(Nodes["a"]["state/cluster"]));
        (int code, _, string error) = await node.RunAsync("cluster", "join", "nats://10.0.0.1");
        Assert.Equal(2, code);
        Assert.EndsWith("without 'credentials' and TLS it takes \"insecure\": true in 'cluster'\n", error);

        (code, string output, _) = await node.RunAsync("cluster", "join", engine.Url);
        Assert.Equal(0, code);
        Assert.Matches($@"^attached node=a cluster=[-0-9a-f]+ engine={engine.Url} nodes=1\n$", output);
        Assert.Contains("NATS.", File.ReadAllText(library)); // or the look above would prove nothing
        Kill(node);
        node = await Nodes.StartAsync("a", "\"name\": \"a\""); // a member still
        await UntilAsync(node, cluster => cluster.State == "attached");
        Assert.Equal(2, (await node.RunAsync("cluster", "join", other.Url)).Code); // it belongs to one already
        Kill(node);

        ServeProcess first = await Nodes.JoinAsync("b", other.Url);
        node = await Nodes.StartAsync("a", SectionOf("a", other.Url)); // the engine of another cluster
        ClusterAnswer refused = await UntilAsync(node, cluster => cluster.State == "out");
        Assert.StartsWith($"the engine belongs to cluster {(await SeesAsync(first, "b up")).Cluster}, and this node to cluster ", refused.Reason);
        Assert.Equal(0, (await node.RunAsync("cluster", "leave")).Code);
        Assert.Equal(0, (await node.RunAsync("cluster", "join")).Code); // the config's
        await SeesAsync(first, "a up", "b up");
        Assert.Equal(0, (await node.RunAsync("cluster", "leave")).Code);
        await SeesAsync(first, "b up");
        Assert.Equal("alone", (await UntilAsync(node, _ => true)).State);
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task A_name_that_lives_is_not_taken_and_a_copy_of_a_node_takes_its_place()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        ServeProcess first = await Nodes.JoinAsync("a", engine.Url), second = await Nodes.StartAsync("a2", SectionOf("a", engine.Url));
        string reason = (await UntilAsync(second, cluster => cluster.State == "out")).Reason!;
        Assert.Equal("another node with the name a is up at 127.0.0.1: give this one another name, with 'cluster.name' or --name", reason);
        Kill(first);
        (int code, _, string error) = await second.RunAsync("cluster", "join");
        Assert.Equal(1, code);
        Assert.StartsWith("another node had the name a, at 127.0.0.1, and is down: 'cluster remove a'", error);
        Assert.Equal(0, (await second.RunAsync("cluster", "join", "--take-over")).Code);
        await SeesAsync(second, "a up");

        Directory.CreateDirectory(Nodes["copy"]["state/cluster"]);
        foreach (string file in (string[])["node", "id"])
        {
            File.Copy(Nodes["a2"][$"state/cluster/{file}"], Nodes["copy"][$"state/cluster/{file}"]);
        }

        ServeProcess copy = await Nodes.StartAsync("copy", SectionOf("a", engine.Url));
        Assert.StartsWith("a copy of this node runs at 127.0.0.1", (await UntilAsync(second, cluster => cluster.State == "left")).Reason);
        await UntilAsync(copy, cluster => cluster.State == "attached");
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task An_engine_that_is_killed_stands_or_comes_back_empty_leaves_the_cluster_as_it_was()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        ServeProcess[] all = await Task.WhenAll(((string[])["a", "b"]).Select(name => Nodes.JoinAsync(name, engine.Url)));
        string cluster = (await SeesAsync(all[0], "a up", "b up")).Cluster!;
        engine.Kill();
        ClusterAnswer lost = await UntilAsync(all[0], one => one.State == "detached");
        Assert.Equal(["a", "b"], lost.Nodes.Select(one => one.Node)); // as last seen
        Assert.Contains("the cluster's engine", lost.Reason);
        engine.Wipe();
        await engine.StartAsync();
        foreach (ServeProcess node in all)
        {
            await UntilAsync(node, one => one.State == "attached");
            Assert.Equal(cluster, (await SeesAsync(node, "a up", "b up")).Cluster);
        }

        engine.Signal("STOP");
        lost = await UntilAsync(all[0], one => one.State == "detached");
        Assert.All(lost.Nodes, one => Assert.Equal("up", one.State)); // an engine that stands says nothing about nodes
        engine.Signal("CONT");
        await UntilAsync(all[0], one => one.State == "attached");
        await SeesAsync(all[1], "a up", "b up");
    }
}
