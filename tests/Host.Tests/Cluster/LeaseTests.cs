using System.Text.Json;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Tests.Cluster;

/// <summary>
/// Schedules of which one node makes the jobs: real processes and a real engine, killed and stopped. COCAINE_LEASE_ROUNDS is how often that is done, once by
/// default; the last rounds have the longer stops.
/// </summary>
[Collection(nameof(Alone))]
public sealed class LeaseTests : ClusterTest
{
    private const string Code = """
        import os
        import cocaine

        def tick():
            number = lambda name: int.from_bytes(cocaine.current().header(name), "little")
            with open(os.environ["TICKS"], "a") as file:
                file.write("%d %d\n" % (number("scheduled_time"), number("lease_term")))
        """;

    private const string TasksCode = """
        import os
        import time

        def note(task):
            with open(os.environ["RUNS"], "a") as file:
                file.write("%s %d\n" % (task, os.getppid()))

        def manual():
            note("manual")
            yield str(time.time() + 0.1)

        def each():
            note("each")

        def alone():
            note("alone")

        def drift():
            note("drift")
        """;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [NeedsFact("nats-server", "nats-server")]
    public async Task A_cron_comes_once_whatever_dies_or_stands_still()
    {
        int rounds = int.Parse(Environment.GetEnvironmentVariable("COCAINE_LEASE_ROUNDS") ?? "1", null);
        using NatsServer engine = await NatsServer.StartNewAsync();
        string[] names = ["a", "b", "c"];
        Dictionary<string, ServeProcess> nodes = [];
        foreach (string name in names)
        {
            nodes[name] = await Nodes.JoinAsync(name, engine.Url);
        }

        Assert.Equal("created app=clock version=0\ncreated app=clock task=tick run-on=one\n", (await nodes["a"].RunAsync("app", "create", Manifest())).Output);
        await MoreAsync(nodes, 1);
        int kills = 0, outages = 0;
        for (int round = 0; round < rounds; round++)
        {
            string dead = await HolderAsync(nodes);
            ClusterNodes.Kill(nodes[dead]);
            kills++;
            nodes[dead] = await Nodes.JoinAsync(dead, engine.Url);
            await MoreAsync(nodes, 2);

            string frozen = await HolderAsync(nodes);
            nodes[frozen].Signal("STOP");
            Task pause = Task.Delay(TimeSpan.FromSeconds(round == 0 ? 0 : 13)); // the fault itself, not a wait for something
            await MoreAsync(nodes, 2);
            await pause;
            nodes[frozen].Signal("CONT");
            await MoreAsync(nodes, 2);

            engine.Kill();
            await engine.StartAsync();
            await MoreAsync(nodes, 2);
            foreach (int seconds in round == 0 ? [] : (int[])[3, 8])
            {
                engine.Signal("STOP");
                await Task.Delay(TimeSpan.FromSeconds(seconds)); // the fault itself
                engine.Signal("CONT");
                outages += seconds > 6 ? 1 : 0; // the lease is over, and its holder goes on with it once it is attached again: 10 s are made up
                await MoreAsync(nodes, 2);
            }
        }

        (long Time, long Term)[] ticks = Read();
        long[] times = [.. ticks.Select(tick => tick.Time / 1000)];
        Assert.Equal(times.Distinct().Count(), times.Length);
        long missed = times.Max() - times.Min() + 1 - times.Length;
        string all = string.Join(", ", ticks) + string.Join('\n', nodes.Values.Select(node => node.Log));
        Assert.True(missed >= 0 && missed <= kills + (2 * outages), $"{missed} missed of {times.Length}, {kills} kills\n{all}");
        Assert.True(ticks.Select(tick => tick.Term).Distinct().Count() >= 2 * rounds, all);
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task An_engine_that_stood_still_for_longer_than_the_lease_lasts_leaves_it_to_its_holder()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        Dictionary<string, ServeProcess> nodes = new() { ["a"] = await Nodes.JoinAsync("a", engine.Url), ["b"] = await Nodes.JoinAsync("b", engine.Url) };
        Assert.Equal(0, (await nodes["a"].RunAsync("app", "create", Manifest())).Code);
        await MoreAsync(nodes, 1);
        string holder = await HolderAsync(nodes);
        engine.Signal("STOP");
        await Task.Delay(TimeSpan.FromSeconds(7.5)); // the fault itself: the lease lasts for 6.5 s
        engine.Signal("CONT");
        await MoreAsync(nodes, 4);
        Assert.Equal(holder, await HolderAsync(nodes));
        (long Time, long Term)[] ticks = Read();
        Assert.All(ticks, tick => Assert.Equal(1, tick.Term));
        long[] times = [.. ticks.Select(tick => tick.Time / 1000)];
        Assert.Equal(times.Distinct().Count(), times.Length);
        long missed = times.Max() - times.Min() + 1 - times.Length;
        Assert.True(missed <= 2, $"{missed} missed: {string.Join(", ", times)}\n{nodes[holder].Log}"); // 10 s are made up
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task A_stop_a_pause_and_a_delete_give_the_lease_up_at_once()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        Dictionary<string, ServeProcess> nodes = new() { ["a"] = await Nodes.JoinAsync("a", engine.Url), ["b"] = await Nodes.JoinAsync("b", engine.Url) };
        Assert.Equal(0, (await nodes["a"].RunAsync("app", "create", Manifest())).Code);
        await MoreAsync(nodes, 1);
        string first = await HolderAsync(nodes);
        string second = first == "a" ? "b" : "a";
        nodes[first].Signal("TERM");
        await nodes[first].Process.WaitForExitAsync().WaitAsync(Limit);
        Assert.Contains("this node has given the lease of app clock up", nodes[first].Log);
        await MoreAsync(nodes, 2);
        Assert.Contains("this node makes the jobs of app clock that come from one node: it has the lease, term 2", nodes[second].Log);
        Assert.Equal(0, (await nodes[second].RunAsync("app", "pause", "clock")).Code);
        await nodes[second].UntilLogAsync("this node has given the lease of app clock up");
        int before = Read().Length;
        Assert.Equal(0, (await nodes[second].RunAsync("app", "resume", "clock")).Code);
        await nodes[second].UntilLogAsync("it has the lease, term 3");
        await MoreAsync(nodes, 2);
        long[] times = [.. Read().Select(tick => tick.Time / 1000)];
        Assert.Equal(times.Distinct().Count(), times.Length);
        Assert.Equal(times[before - 1] - times[0] + 1, before); // the stop lost none
        Assert.Equal(0, (await nodes[second].RunAsync("app", "delete", "clock")).Code);
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task Without_the_engine_the_holder_stops_or_the_last_one_goes_on()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        Dictionary<string, ServeProcess> nodes = new() { ["a"] = await Nodes.JoinAsync("a", engine.Url) };
        Assert.Equal(0, (await nodes["a"].RunAsync("app", "create", Manifest("\"without-engine\": \"last\""))).Code);
        Assert.Equal(0, (await nodes["a"].RunAsync("app", "create", Manifest(name: "stops"))).Code);
        await MoreAsync(nodes, 1);
        await RunProcess.UntilAsync(() => Read("stops").Length > 0);
        engine.Kill();
        await MoreAsync(nodes, 11); // more seconds than the lease is valid
        long last = Read("stops").Max(tick => tick.Time);
        long[] after = [.. Read().Select(tick => tick.Time).Where(time => time > last)];
        Assert.True(after.Length >= 3, $"the one stopped at {last}, the other has {string.Join(", ", after)}");
        await engine.StartAsync();
        await MoreAsync(nodes, 2);
        await RunProcess.UntilAsync(() => Read("stops").Max(tick => tick.Time) > last);
        long[] times = [.. Read().Select(tick => tick.Time / 1000)];
        Assert.Equal(times.Max() - times.Min() + 1, times.Length); // none missed, and none twice
        Assert.Equal(times.Distinct().Count(), times.Length);
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task Timers_and_manual_schedules_run_on_the_nodes_that_their_tasks_say()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        Dictionary<string, ServeProcess> nodes = new() { ["a"] = await Nodes.JoinAsync("a", engine.Url), ["b"] = await Nodes.JoinAsync("b", engine.Url) };
        Folder.Write("tasks.py", TasksCode);
        string manifest = Folder.Write("tasks.json", $$"""
            { "type": "python", "args": { "source": "local://{{Folder["tasks.py"]}}", "env": { "RUNS": "{{Folder["runs"]}}" } }, "engine": { "pool-minimum": 1 },
              "tasks": { "manual": { "type": "manual-scheduler" }, "each": { "type": "recurring-timer", "interval": 100 },
                         "alone": { "type": "recurring-timer", "interval": 100, "run-on": "one" }, "drift": { "type": "drifting-timer", "interval": 100, "run-on": "one" } } }
            """);
        (int code, string output, string errors) = await nodes["a"].RunAsync("app", "create", manifest);
        Assert.Equal((0, ""), (code, errors));
        Assert.Equal(
            "created app=tasks version=0\ncreated app=tasks task=manual run-on=one\ncreated app=tasks task=each run-on=all\n"
            + "created app=tasks task=alone run-on=one\ncreated app=tasks task=drift run-on=one\n", output);
        string[] single = ["manual", "alone", "drift"];
        await RunProcess.UntilAsync(() => Runs("each").Distinct().Count() == 2 && single.All(task => Runs(task).Length > 5));
        string first = Assert.Single(single.SelectMany(Runs).Distinct());
        string dead = nodes.Single(node => $"{node.Value.Process.Id}" == first).Key;
        ClusterNodes.Kill(nodes[dead]);
        Dictionary<string, int> before = single.ToDictionary(task => task, task => Runs(task).Length);
        await RunProcess.UntilAsync(() => single.All(task => Runs(task).Length > before[task] + 5));
        string second = $"{nodes[dead == "a" ? "b" : "a"].Process.Id}";
        Assert.All(single, task => Assert.Equal([first, second], Runs(task).Distinct()));
    }

    /// <summary>The processes of the nodes that ran a task, run by run.</summary>
    private string[] Runs(string task) => !File.Exists(Folder["runs"]) ? []
        : [.. File.ReadAllText(Folder["runs"]).Split('\n')[..^1].Select(line => line.Split(' ')).Where(words => words[0] == task).Select(words => words[1])];

    /// <summary>Waits for so many more ticks than there are.</summary>
    private async Task MoreAsync(Dictionary<string, ServeProcess> nodes, int more)
    {
        int wanted = Read().Length + more;
        using CancellationTokenSource late = new(Limit);
        while (Read().Length < wanted)
        {
            Assert.False(late.IsCancellationRequested, $"{Read().Length} of {wanted} ticks\n" + string.Join("\n---\n", nodes.Values.Select(node => node.Log)));
            await Task.Delay(20); // a file tells nobody when it grows
        }
    }

    private (long Time, long Term)[] Read(string name = "clock") => !File.Exists(Folder[$"{name}.ticks"]) ? []
        : [.. File.ReadAllText(Folder[$"{name}.ticks"]).Split('\n')[..^1].Select(line => line.Split(' '))
            .Select(words => (long.Parse(words[0], null), long.Parse(words[1], null)))];

    /// <summary>The node that has the lease, as a node that answers knows it.</summary>
    private static async Task<string> HolderAsync(Dictionary<string, ServeProcess> nodes)
    {
        using CancellationTokenSource late = new(Limit);
        while (true)
        {
            foreach (ServeProcess node in nodes.Values.Where(node => !node.Process.HasExited))
            {
                await using NodeControlClient client = await node.ConnectAsync();
                string info = await client.InfoJsonAsync("clock", late.Token);
                using JsonDocument json = JsonDocument.Parse(info);
                JsonElement tick = json.RootElement.GetProperty("tasks").GetProperty("tick");
                Assert.Equal("one", tick.GetProperty("run-on").GetString());
                if (tick.GetProperty("lease-holder").GetString() is { } holder && nodes.ContainsKey(holder))
                {
                    return holder;
                }
            }

            await Task.Delay(20, late.Token);
        }
    }

    private string Manifest(string cluster = "", string name = "clock")
    {
        Folder.Write("clock.py", Code);
        return Folder.Write($"{name}.json", $$"""
            { "type": "python", "args": { "source": "local://{{Folder["clock.py"]}}", "env": { "TICKS": "{{Folder[$"{name}.ticks"]}}" } },
              "cluster": { {{cluster}} }, "engine": { "pool-minimum": 1 },
              "tasks": { "tick": { "type": "cron", "schedule": "* * * * * *", "overlap": "allow" } } }
            """);
    }
}
