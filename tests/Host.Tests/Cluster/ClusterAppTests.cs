using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using static Cocaine.Fast.Host.Tests.Cluster.ClusterNodes;

namespace Cocaine.Fast.Host.Tests.Cluster;

/// <summary>Apps of a cluster: real processes and a real engine, which are killed, wiped and set back.</summary>
[Collection(nameof(Alone))]
public sealed class ClusterAppTests : ClusterTest
{
    [NeedsFact("nats-server", "nats-server")]
    public async Task A_change_at_any_node_is_made_on_all_and_on_those_that_were_away()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        ServeProcess a = await Nodes.JoinAsync("a", engine.Url), b = await Nodes.JoinAsync("b", engine.Url);
        (int code, string output, string error) = await a.RunAsync("app", "create", Folder.Manifest("echo", 1));
        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("created app=echo version=1\ncreated app=echo endpoint=tcp://127.0.0.1:", output);
        await RunsAsync(b, "echo 1 running");
        Assert.Equal(
            (2, "", "app 'echo' is in the cluster already, created or changed at node a; replace changes it\n"),
            await b.RunAsync("app", "create", Folder.Manifest("echo", 1)));
        ServeProcess c = await Nodes.JoinAsync("c", engine.Url); // comes late
        await RunsAsync(c, "echo 1 running");
        Assert.Equal(2, (await c.RunAsync("app", "replace", Folder.Manifest("echo", 1))).Code); // not higher
        (code, output, error) = await c.RunAsync("app", "replace", Placed("echo", 2));
        Assert.Equal((0, ""), (code, error));
        Assert.Equal("replaced app=echo from=1 to=2", output.TrimEnd().Split('\n')[3]); // after a line for each node
        await RunsAsync(a, "echo 2 running");
        await RunsAsync(b, "echo 2 running");
        Kill(b);
        Assert.Equal(0, (await c.RunAsync("app", "pause", "echo")).Code);
        await RunsAsync(a, "echo 2 paused");
        b = await Nodes.JoinAsync("b", engine.Url); // was away
        await RunsAsync(b, "echo 2 paused");
        Assert.Equal(0, (await b.RunAsync("app", "resume", "echo")).Code);
        await RunsAsync(c, "echo 2 running");
        Kill(c);
        Assert.Equal((0, "deleted app=echo\n", ""), await a.RunAsync("app", "delete", "echo"));
        await RunsAsync(b);
        c = await Nodes.JoinAsync("c", engine.Url);
        await RunsAsync(c);
        Assert.Equal(1, (await c.RunAsync("app", "delete", "echo")).Code); // there is none
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task Of_two_who_create_an_app_at_once_one_is_told()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        ServeProcess[] nodes = await Task.WhenAll(Nodes.JoinAsync("a", engine.Url), Nodes.JoinAsync("b", engine.Url));
        ManifestText[] texts =
        [
            .. ((int[])[1, 2]).Select(version => Folder.Manifest("echo", version)).Select(path => new ManifestText(File.ReadAllBytes(path), path)),
        ];
        await using NodeControlClient first = await nodes[0].ConnectAsync(), second = await nodes[1].ConnectAsync();
        Task<AppSummary>[] both = [first.CreateReadyAsync(texts[0]), second.CreateReadyAsync(texts[1])];
        await Task.WhenAll(both).ContinueWith(_ => { }, TaskScheduler.Default);
        Exception told = Assert.Single(both, one => one.IsFaulted).Exception!.InnerException!;
        Assert.Matches("^app 'echo' is in the cluster already, created or changed at node [ab]; replace changes it$", Assert.IsType<CocaineException>(told).Message);
        string version = $"echo {Assert.Single(both, one => one.IsCompletedSuccessfully).Result.Version} running";
        await RunsAsync(nodes[0], version);
        await RunsAsync(nodes[1], version);
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task An_engine_that_is_away_older_or_empty_ends_no_app()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        ServeProcess a = await Nodes.JoinAsync("a", engine.Url), b = await Nodes.JoinAsync("b", engine.Url);
        await a.RunAsync("app", "create", Folder.Manifest("echo", 1));
        await RunsAsync(b, "echo 1 running");
        engine.Kill();
        await UntilAsync(a, cluster => cluster.State == "detached");
        CopyFolder(engine.Folder, Folder["older"]);
        await engine.StartAsync();
        await UntilAsync(a, cluster => cluster.State == "attached");
        Assert.Equal(0, (await a.RunAsync("app", "replace", Placed("echo", 2))).Code);
        await RunsAsync(b, "echo 2 running");

        engine.Kill();
        await UntilAsync(a, cluster => cluster.State == "detached");
        (int code, _, string error) = await a.RunAsync("app", "delete", "echo");
        Assert.Equal(1, code);
        Assert.EndsWith("Nothing was changed; 'app create --local' is for this node only\n", error);
        Assert.Equal(1, (await a.RunAsync("app", "create", Folder.Manifest("other"))).Code);
        Assert.Equal(0, (await a.RunAsync("app", "create", Folder.Manifest("mine"), "--local")).Code);
        Kill(b);
        b = await Nodes.StartAsync("b", SectionOf("b", engine.Url)); // without the engine, from its disk
        await RunsAsync(b, "echo 2 running");

        engine.Wipe();
        CopyFolder(Folder["older"], engine.Folder);
        await engine.StartAsync(); // older: it has version 1
        const string PutBack = "the record of app echo in the cluster was lost by its engine";
        await RunProcess.UntilAsync(() => a.Log.Contains(PutBack) || b.Log.Contains(PutBack));
        await RunsAsync(await Nodes.JoinAsync("c", engine.Url), "echo 2 running");
        engine.Kill();
        engine.Wipe();
        await engine.StartAsync(); // empty
        await RunsAsync(await Nodes.JoinAsync("d", engine.Url), "echo 2 running");
        await RunsAsync(a, "echo 2 running", "mine 0 running");
        await RunsAsync(b, "echo 2 running");
        Assert.DoesNotContain("app echo: deleted", a.Log + b.Log);
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task An_app_runs_on_the_nodes_that_its_manifest_means()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        ServeProcess[] nodes = await Task.WhenAll(((string[])["a", "b", "c"]).Select(async name =>
        {
            ServeProcess node = await Nodes.StartAsync(name, $"{SectionOf(name, engine.Url)}, \"labels\": {{ \"zone\": \"{name}\" }}");
            await UntilAsync(node, cluster => cluster.State == "attached");
            return node;
        }));
        await SeesAsync(nodes[0], "a up", "b up", "c up");
        Assert.Equal(
            (0, "created app=echo version=1\n", "app echo is for other nodes of the cluster: b\n"),
            await nodes[0].RunAsync("app", "create", Placed("echo", 1, "\"where\": { \"zone\": [\"b\", \"x\"] }")));
        await RunsAsync(nodes[1], "echo 1 running");
        await RunsAsync(nodes[0]);
        Assert.Equal(0, (await nodes[0].RunAsync("app", "replace", Placed("echo", 2, "\"where\": { \"zone\": \"c\" }"))).Code);
        await RunsAsync(nodes[2], "echo 2 running"); // it moves
        await RunsAsync(nodes[1]);
        Assert.Equal(0, (await nodes[0].RunAsync("app", "replace", Placed("echo", 3, "\"nodes\": 2"))).Code);
        await RunProcess.UntilAsync(() => nodes.Count(node => AppsOf(node).GetAwaiter().GetResult() == "echo 3 running") == 2);
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task An_app_of_one_node_hides_the_one_of_the_cluster_and_leaving_ends_those_of_the_cluster()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        ServeProcess a = await Nodes.StartAsync("a", "\"name\": \"a\""), b = await Nodes.JoinAsync("b", engine.Url);
        Assert.Equal(0, (await a.RunAsync("app", "create", Placed("echo", 7))).Code);
        Assert.Equal(0, (await b.RunAsync("app", "create", Folder.Manifest("echo", 1))).Code);
        Assert.Equal(0, (await b.RunAsync("app", "create", Folder.Manifest("more", 1))).Code);
        Assert.Equal(0, (await a.RunAsync("cluster", "join", engine.Url)).Code);
        await RunsAsync(a, "echo 7 running", "more 1 running"); // a join pushes nothing out
        Assert.Contains("app echo of the cluster does not run here", a.Log);
        await RunProcess.UntilAsync(() => b.RunAsync("app", "list", "--cluster").GetAwaiter().GetResult().Output is { } list
            && System.Text.RegularExpressions.Regex.IsMatch(list, @"(?m)^echo +a +1 +7 +taken .*'app publish echo' makes it the cluster's")
            && System.Text.RegularExpressions.Regex.IsMatch(list, @"(?m)^echo +b +1 +1 +ready ")
            && System.Text.RegularExpressions.Regex.IsMatch(list, @"(?m)^more +a +1 +1 +ready "));
        Assert.Equal(
            (2, "", "the cluster has an app echo already: 'app publish echo --force' makes this one its next version, and 'app delete echo' makes place for "
                + "the cluster's here\n"), await a.RunAsync("app", "publish", "echo"));
        Assert.Equal(0, (await b.RunAsync("app", "create", Placed("mine", 1), "--local")).Code);
        Assert.Equal((0, "published app=mine\n", ""), await b.RunAsync("app", "publish", "mine"));
        Assert.Equal((2, "", "app mine is the cluster's already\n"), await b.RunAsync("app", "publish", "mine"));
        await RunsAsync(a, "echo 7 running", "mine 1 running", "more 1 running");
        Assert.False(File.Exists(Nodes["b"]["state/apps/mine.json"]));
        Assert.Equal(0, (await a.RunAsync("app", "delete", "mine")).Code);
        await RunsAsync(b, "echo 1 running", "more 1 running");
        Assert.Equal(0, (await a.RunAsync("app", "delete", "echo")).Code); // its own
        await RunsAsync(a, "echo 1 running", "more 1 running");
        await RunsAsync(b, "echo 1 running", "more 1 running");
        Assert.Equal(0, (await a.RunAsync("cluster", "leave")).Code);
        await RunsAsync(a);
        Assert.False(File.Exists(Nodes["a"]["state/cluster/apps/echo.json"]));
        await RunsAsync(b, "echo 1 running", "more 1 running");
    }

    /// <summary>Waits until a node has these apps and no others: <c>echo 1 running</c>.</summary>
    private static async Task RunsAsync(ServeProcess node, params string[] apps)
    {
        string wanted = string.Join(", ", apps), found = "";
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(40));
        while ((found = await AppsOf(node)) != wanted)
        {
            Assert.False(late.IsCancellationRequested, $"'{wanted}' expected, '{found}' found\n{node.Log}");
            await Task.Delay(20); // a list tells nobody when it changes
        }
    }

    private static async Task<string> AppsOf(ServeProcess node)
    {
        await using NodeControlClient client = await node.ConnectAsync();
        return string.Join(", ", (await client.ListAsync()).Select(app => $"{app.App} {app.Version} {app.State}"));
    }

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string folder in Directory.GetDirectories(from, "*", SearchOption.AllDirectories))
        {
            Directory.CreateDirectory(folder.Replace(from, to));
        }

        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            File.Copy(file, file.Replace(from, to));
        }
    }
}
