using System.Text;
using System.Text.RegularExpressions;
using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using static Cocaine.Fast.Host.Tests.Cluster.ClusterNodes;

namespace Cocaine.Fast.Host.Tests.Cluster;

/// <summary>Another version over the nodes of a cluster: real processes and a real engine, which are killed on the way.</summary>
[Collection(nameof(Alone))]
public sealed class RolloutTests : ClusterTest
{
    /// <summary>A version notes the node on which it starts, and one that breaks ends on each node but the first.</summary>
    private const string Code = """
        import os
        import sys

        version, folder, node = os.environ["VERSION"], os.environ["FOLDER"], str(os.getppid())
        with open(folder + "/starts", "a") as file:
            file.write("%s %s\n" % (version, node))
        with open(folder + "/starts") as file:
            first = [line.split()[1] for line in file if line.split()[0] == version][0]
        if os.environ["BREAKS"] == "yes" and node != first:
            sys.exit("this version breaks on the second node")

        def version_of(request):
            if os.environ["BREAKS"] == "jobs":
                raise RuntimeError("each job of this version fails")
            yield version.encode()
        """;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [NeedsFact("nats-server", "nats-server")]
    public async Task A_version_comes_to_all_nodes_under_load_and_a_broken_one_goes_back_by_itself()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        ServeProcess[] nodes = [await Nodes.JoinAsync("a", engine.Url), await Nodes.JoinAsync("b", engine.Url), await Nodes.JoinAsync("c", engine.Url)];
        await SeesAsync(nodes[0], "a up", "b up", "c up");
        Assert.Equal(0, (await nodes[0].RunAsync("app", "create", Manifest(1))).Code);
        await UntilAsync(nodes[0], app => app.Nodes.Count == 3 && app.Nodes.All(node => node.IsCurrent));
        using CancellationTokenSource over = new();
        Task<int>[] loads = [.. nodes.Select(node => LoadAsync(node, over.Token))];

        (int code, string output, string errors) = await nodes[1].RunAsync("app", "replace", Manifest(2));
        Assert.Equal((0, ""), (code, errors));
        Assert.Equal(
            ["replaced app=versions from=1 to=2", "replaced app=versions node=a version=2", "replaced app=versions node=b version=2", "replaced app=versions node=c version=2"],
            output.Trim().Split('\n').Order());
        Assert.EndsWith("replaced app=versions from=1 to=2\n", output);
        Assert.Equal(3, Starts(2).Distinct().Count());

        long beganMs = Environment.TickCount64;
        (code, output, errors) = await nodes[2].RunAsync("app", "replace", Manifest(3, breaks: "yes"));
        long tookMs = Environment.TickCount64 - beganMs;
        Assert.Equal(1, code);
        Assert.Matches(@"^version 3 of versions failed, all nodes go on with 2: version 3 failed on node [abc]: version 3 did not come up, 2 goes on: ", errors);
        Assert.Contains("this version breaks on the second node", errors);
        Assert.Single(output.Trim().Split('\n')); // the first node, which ran it well
        Assert.Equal(2, Starts(3).Distinct().Count()); // the third one never started it
        Assert.True(tookMs < 15_000, $"{tookMs} ms");
        foreach (ServeProcess node in nodes)
        {
            Assert.Equal("2", await CallAsync(node));
        }

        over.Cancel();
        int[] calls = await Task.WhenAll(loads); // a failed call fails the test
        Assert.All(calls, count => Assert.True(count > 100, $"{count} calls"));
        (code, output, _) = await nodes[0].RunAsync("app", "rollout", "versions");
        Assert.Equal(0, code);
        Assert.StartsWith("rollout of versions from version 2 to 3 is rolled-back: version 3 failed on node ", output);
        Assert.Matches(@"(?m)^versions +b +\d+ +2 +ready +rolled-back ", output);
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task A_rollout_stops_goes_on_and_goes_back_as_people_say_and_errors_of_jobs_count()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        ServeProcess a = await Nodes.JoinAsync("a", engine.Url), b = await Nodes.JoinAsync("b", engine.Url);
        await SeesAsync(a, "a up", "b up");
        Assert.Equal(0, (await a.RunAsync("app", "create", Manifest(1))).Code);
        await UntilAsync(a, app => app.Nodes.Count == 2 && app.Nodes.All(node => node.IsCurrent));
        Assert.Equal((0, "rolling app=versions from=1 to=2\n", ""), await a.RunAsync("app", "replace", Manifest(2, rollout: "\"settle\": \"60s\""), "--wait", "none"));
        await UntilAsync(b, app => app.Nodes.Any(node => node is { Rollout: "proves", State: "ready", Version: 2 }));
        (int code, _, string errors) = await b.RunAsync("app", "replace", Manifest(3), "--wait", "none");
        Assert.Equal(1, code);
        Assert.Contains("version 2 is being rolled out since the change at node a: wait, or 'app rollout versions --stop'", errors);
        Assert.Equal(0, (await b.RunAsync("app", "rollout", "versions", "--stop")).Code);
        ClusterAppAnswer stopped = await UntilAsync(a, app => app.Rollout is { State: "stopped", Reason: "stopped at node b" });
        Assert.Equal([1, 2], stopped.Nodes.Select(node => node.Version ?? 0).Order());
        Assert.Equal(0, (await a.RunAsync("app", "rollout", "versions", "--back")).Code);
        await UntilAsync(b, app => app.Rollout!.State == "rolled-back" && app.Nodes.All(node => node is { IsCurrent: true, Version: 1 }));
        Assert.Equal((2, "", "no version before the present one of app versions is known\n"), await a.RunAsync("app", "rollout", "versions", "--back"));

        (code, _, errors) = await a.RunAsync("app", "replace", Manifest(3, breaks: "yes", rollout: "\"settle\": 0, \"on-failure\": \"stop\""));
        Assert.Equal(1, code);
        Assert.StartsWith("the rollout of version 3 of versions is stopped: version 3 failed on node ", errors);
        int tries = Starts(3).Length;
        Assert.Equal(0, (await a.RunAsync("app", "rollout", "versions", "--go")).Code);
        await UntilAsync(a, app => app.Rollout!.State == "stopped" && Starts(3).Length > tries); // it was tried again, and failed again

        ServeProcess[] nodes = [a, b];
        using CancellationTokenSource over = new();
        Task[] loads = [.. nodes.Select(node => Task.Run(() => ErrorsAsync(node, over.Token)))];
        (code, _, errors) = await a.RunAsync("app", "replace", Manifest(4, breaks: "jobs", rollout: "\"settle\": \"4s\""));
        over.Cancel();
        await Task.WhenAll(loads);
        Assert.Equal(1, code);
        const string Words = "^version 4 of versions failed, all nodes go on with 1: [0-9]+ of [0-9]+ jobs of version 4 on node [ab] ended in 500, 502 or 504, and 1 % may\n$";
        Assert.True(Regex.IsMatch(errors, Words), $"{errors}\n{a.Log}\n{b.Log}");
        Assert.Equal(["1", "1"], [await CallAsync(a), await CallAsync(b)]);
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task A_rollout_goes_on_when_its_coordinator_is_killed_and_stands_while_the_engine_is_away()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        Dictionary<string, ServeProcess> nodes = [];
        foreach (string name in (string[])["a", "b", "c"])
        {
            nodes[name] = await Nodes.JoinAsync(name, engine.Url);
        }

        await SeesAsync(nodes["a"], "a up", "b up", "c up");
        Assert.Equal(0, (await nodes["a"].RunAsync("app", "create", Manifest(1))).Code);
        await UntilAsync(nodes["a"], app => app.Nodes.Count == 3 && app.Nodes.All(node => node.IsCurrent));
        const string Slow = "\"settle\": \"1500ms\"", Is = "this node is the one that moves the cluster's rollouts";
        Assert.Equal(0, (await nodes["a"].RunAsync("app", "replace", Manifest(2, rollout: Slow), "--wait", "none")).Code);
        ClusterAppAnswer first = await UntilAsync(nodes["b"], app => app.Nodes.Any(node => node.Rollout == "proves"));
        string dead = nodes.Single(node => node.Value.Log.Contains(Is)).Key;
        Kill(nodes[dead]); // in the middle of a node's proof
        Assert.NotEqual("done", first.Rollout!.State);
        ServeProcess[] left = [.. nodes.Where(node => node.Key != dead).Select(node => node.Value)];
        await UntilAsync(left[0], app => app.Rollout!.State == "done" && app.Nodes.All(node => node.Node == dead || node is { IsCurrent: true, Version: 2 }));
        Assert.Contains(left, node => node.Log.Contains(Is));
        nodes[dead] = await Nodes.JoinAsync(dead, engine.Url);
        await UntilAsync(left[0], app => app.Nodes.All(node => node is { IsCurrent: true, Version: 2 })); // also the one that was away

        Assert.Equal(0, (await left[0].RunAsync("app", "replace", Manifest(3, rollout: Slow), "--wait", "none")).Code);
        await UntilAsync(left[0], app => app.Nodes.Any(node => node is { Rollout: "proves", State: "ready", Version: 3 }));
        engine.Kill();
        ClusterAppAnswer away = await UntilAsync(left[0], app => !app.IsAttached);
        int begun = Starts(3).Distinct().Count();
        await Task.Delay(TimeSpan.FromSeconds(4)); // the fault itself: longer than a node takes to prove the version
        Assert.Equal(begun, Starts(3).Distinct().Count());
        Assert.Equal("rolling", away.Rollout!.State);
        Assert.Equal(3, nodes.Values.Count(node => CallAsync(node).GetAwaiter().GetResult() is "2" or "3")); // all serve
        (_, _, string errors) = await left[0].RunAsync("app", "rollout", "versions");
        Assert.Equal("the cluster's engine cannot be reached: this is as it was last heard, and rollouts stand still\n", errors);
        await engine.StartAsync();
        await UntilAsync(left[0], app => app is { IsAttached: true, Rollout.State: "done" } && app.Nodes.All(node => node is { IsCurrent: true, Version: 3 }));
    }

    private static async Task ErrorsAsync(ServeProcess node, CancellationToken over)
    {
        await using CocaineClient client = await CocaineClient.ConnectAsync(await EndpointAsync(node));
        while (!over.IsCancellationRequested)
        {
            try
            {
                await client.CallAsync("version_of", ReadOnlyMemory<byte>.Empty).WaitAsync(Limit);
            }
            catch (CocaineException failure)
            {
                Assert.True(failure.Code is 500 or 502, $"{failure.Code} {failure.Message}"); // of the version whose jobs fail
            }
        }
    }

    private async Task<int> LoadAsync(ServeProcess node, CancellationToken over)
    {
        await using CocaineClient client = await CocaineClient.ConnectAsync(await EndpointAsync(node));
        int calls = 0;
        for (; !over.IsCancellationRequested; calls++)
        {
            await client.CallAsync("version_of", ReadOnlyMemory<byte>.Empty).WaitAsync(Limit);
        }

        return calls;
    }

    private static async Task<string> CallAsync(ServeProcess node)
    {
        await using CocaineClient client = await CocaineClient.ConnectAsync(await EndpointAsync(node));
        return Encoding.UTF8.GetString(await client.CallAsync("version_of", ReadOnlyMemory<byte>.Empty));
    }

    private static async Task<string> EndpointAsync(ServeProcess node)
    {
        await using NodeControlClient control = await node.ConnectAsync();
        AppSummary app = (await control.ListAsync()).Single(app => app.App == "versions");
        return app.Endpoints[0];
    }

    /// <summary>The nodes on which a version was started, by their processes.</summary>
    private string[] Starts(int version) =>
        [.. File.ReadAllLines(Folder["starts"]).Select(line => line.Split(' ')).Where(words => words[0] == $"{version}").Select(words => words[1])];

    private static async Task<ClusterAppAnswer> UntilAsync(ServeProcess node, Predicate<ClusterAppAnswer> isSo)
    {
        await using NodeControlClient client = await node.ConnectAsync();
        using CancellationTokenSource late = new(Limit);
        while (true)
        {
            ClusterAppAnswer app = await client.RolloutAsync("versions", "show", late.Token);
            if (isSo(app))
            {
                return app;
            }

            Assert.False(late.IsCancellationRequested, $"it stayed {app} {app.Rollout} {string.Join(", ", app.Nodes)}\n{node.Log}");
            await Task.Delay(20); // a board tells nobody when it changes
        }
    }

    private string Manifest(int version, string breaks = "no", string rollout = "\"settle\": \"300ms\"")
    {
        Folder.Write("versions.py", Code);
        return Folder.Write("versions.json", $$"""
            { "type": "python", "version": {{version}}, "cluster": { "rollout": { {{rollout}} } }, "engine": { "pool-minimum": 1 },
              "args": { "source": "local://{{Folder["versions.py"]}}", "env": { "VERSION": "{{version}}", "FOLDER": "{{Folder.Path}}", "BREAKS": "{{breaks}}" } },
              "tasks": { "call": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } } }
            """);
    }
}
