using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using static Cocaine.Fast.Host.Tests.Cluster.ClusterNodes;

namespace Cocaine.Fast.Host.Tests.Cluster;

/// <summary>A node is drained: real processes and a real engine.</summary>
[Collection(nameof(Alone))]
public sealed class DrainTests : ClusterTest
{
    private const string Code = """
        import os
        import time

        time.sleep(1)  # a node that comes to the app needs a while

        def tick():
            pass

        def wait(request):
            open(os.environ["FOLDER"] + "/begun", "w").close()
            while not os.path.exists(os.environ["FOLDER"] + "/go"):
                time.sleep(0.01)
            yield b"done"
        """;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    [NeedsFact("nats-server", "nats-server")]
    public async Task A_drained_node_has_no_app_its_jobs_are_done_and_an_app_of_one_node_is_always_somewhere()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        ServeProcess a = await Nodes.JoinAsync("a", engine.Url), b = await Nodes.JoinAsync("b", engine.Url);
        Assert.Equal(0, (await a.RunAsync("app", "create", Manifest("all", ""))).Code);
        Assert.Equal(0, (await a.RunAsync("app", "create", Manifest("one", "\"nodes\": 1"))).Code);
        await UntilAppsAsync(() => (AppsOf(a), AppsOf(b)), (mine, theirs) => mine.Contains("all") && theirs.Contains("all") && (mine + theirs).Contains("one"));
        (ServeProcess full, string name, ServeProcess other) = (await AppsOf(a)).Contains("one") ? (a, "a", b) : (b, "b", a);
        Task<string> job = CallAsync(full);
        await RunProcess.UntilAsync(() => File.Exists(Folder["begun"]));

        Task<(int Code, string Output, string Error)> drain = other.RunAsync("cluster", "drain", name);
        while ((await AppsOf(full)).Contains("one running"))
        {
            Assert.False(drain.IsCompleted, $"{full.Log}\n---\n{other.Log}");
            await Task.Delay(10); // a list tells nobody when it changes
        }

        Assert.Matches("one: slave [0-9a-f]+ is ready", other.Log); // the app takes jobs there before it takes no more here
        await UntilAsync(other, cluster => cluster.Nodes.Single(node => node.Node == name).State == "draining"); // for the job
        Assert.False(drain.IsCompleted);
        File.WriteAllText(Folder["go"], "");
        Assert.Equal("done", await job.WaitAsync(Limit));
        Assert.Equal((0, $"drained node={name}\n", ""), await drain.WaitAsync(Limit));
        Assert.Equal("", await AppsOf(full));
        await UntilAppsAsync(() => (AppsOf(other), AppsOf(full)), (there, here) => there == "all running, one running" && here == "");

        Kill(full);
        full = await Nodes.JoinAsync(name, engine.Url);
        await UntilAsync(other, cluster => cluster.Nodes.Single(node => node.Node == name).State == "drained"); // over a restart too
        Assert.Equal((0, $"up node={name}\n", ""), await full.RunAsync("cluster", "undrain", name));
        await UntilAppsAsync(() => (AppsOf(other), AppsOf(full)), (_, here) => here.Contains("all running"));
        Assert.Equal((2, "", "no node zeus is in the cluster\n"), await full.RunAsync("cluster", "drain", "zeus"));
    }

    private static async Task UntilAppsAsync(Func<(Task<string> First, Task<string> Second)> look, Func<string, string, bool> isSo)
    {
        using CancellationTokenSource late = new(Limit);
        while (true)
        {
            (Task<string> first, Task<string> second) = look();
            if (isSo(await first, await second))
            {
                return;
            }

            Assert.False(late.IsCancellationRequested, $"'{await first}' and '{await second}'");
            await Task.Delay(20); // a list tells nobody when it changes
        }
    }

    private static async Task<string> AppsOf(ServeProcess node)
    {
        await using NodeControlClient client = await node.ConnectAsync();
        return string.Join(", ", (await client.ListAsync()).Select(app => $"{app.App} {app.State}"));
    }

    private static async Task<string> CallAsync(ServeProcess node)
    {
        await using NodeControlClient control = await node.ConnectAsync();
        AppSummary app = (await control.ListAsync()).Single(app => app.App == "one");
        await using CocaineClient client = await CocaineClient.ConnectAsync(app.Endpoints[0]);
        return System.Text.Encoding.UTF8.GetString(await client.CallAsync("wait", ReadOnlyMemory<byte>.Empty));
    }

    private string Manifest(string name, string cluster)
    {
        Folder.Write("app.py", Code);
        return Folder.Write($"{name}.json", $$"""
            { "type": "python", "args": { "source": "local://{{Folder["app.py"]}}", "env": { "FOLDER": "{{Folder.Path}}" } }, "cluster": { {{cluster}} },
              "tasks": { "wait": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0" }, "tick": { "type": "cron", "schedule": "* * * * * *" } } }
            """);
    }
}
