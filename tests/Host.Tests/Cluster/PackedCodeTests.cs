using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Control;
using static Cocaine.Fast.Host.Tests.Cluster.ClusterNodes;

namespace Cocaine.Fast.Host.Tests.Cluster;

/// <summary>Code that goes along with its app: it is on one machine, and runs on all nodes.</summary>
[Collection(nameof(Alone))]
public sealed class PackedCodeTests : ClusterTest
{
    [NeedsFact("nats-server", "nats-server")]
    public async Task Packed_code_runs_on_all_nodes_and_on_those_that_come_later()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        ServeProcess a = await Nodes.JoinAsync("a", engine.Url), b = await Nodes.JoinAsync("b", engine.Url);
        (int code, string output, string error) = await a.RunAsync("app", "create", App(1), "--pack");
        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("created app=packed version=1\n", output);
        Directory.Delete(Folder["app"], recursive: true); // no node needs it any more
        await SaysAsync(b, "1");
        ServeProcess c = await Nodes.JoinAsync("c", engine.Url);
        await SaysAsync(c, "1");
        string manifest = App(2);
        Assert.Equal(0, (await c.RunAsync("app", "replace", manifest, "--pack")).Code);
        await Task.WhenAll(SaysAsync(a, "2"), SaysAsync(b, "2"), SaysAsync(c, "2"));
        Kill(c);
        engine.Kill();
        engine.Wipe();
        Directory.CreateDirectory(engine.Folder);
        await engine.StartAsync(); // the nodes put the code back, too
        await SeesAsync(a, "a up", "b up"); // nobody remembers c, which was away
        ServeProcess d = await Nodes.JoinAsync("d", engine.Url);
        await SaysAsync(d, "2");
        Assert.Equal(0, (await d.RunAsync("app", "delete", "packed")).Code);
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task Code_that_cannot_go_along_is_refused_in_words()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        ServeProcess alone = await Nodes.StartAsync("alone", null);
        string manifest = App(1);
        Assert.Equal(
            (2, "", "--pack sends code to the nodes of a cluster, and this node belongs to none\n"),
            await alone.RunAsync("app", "create", manifest, "--pack"));
        ServeProcess a = await Nodes.StartAsync("a", SectionOf("a", engine.Url) + ", \"max-code\": \"10KiB\"");
        ServeProcess b = await Nodes.JoinAsync("b", engine.Url);
        await SeesAsync(b, "a up", "b up");
        byte[] noise = new byte[300_000];
        Random.Shared.NextBytes(noise);
        File.WriteAllBytes(Folder["app/noise"], noise);
        (int code, _, string error) = await a.RunAsync("app", "create", manifest, "--pack");
        Assert.Equal(2, code);
        Assert.Matches("^the code has 30[0-9]{4} bytes, and this node takes 10240: 'max-code' in the section 'cluster' of its config, or .cocaineignore ", error);
        Assert.Equal(0, (await b.RunAsync("app", "create", manifest, "--pack")).Code); // b takes it, and a says why it does not
        await using NodeControlClient client = await a.ConnectAsync();
        await UntilAsync(a, _ => a.Log.Contains("app packed", StringComparison.Ordinal));
        Assert.Contains("bytes, and this node takes 10240", Assert.Single(await client.ListAsync()).Reason!, StringComparison.Ordinal);
        Assert.Equal(0, (await b.RunAsync("app", "delete", "packed")).Code);
        Folder.Write("app/.cocaineignore", "noise\n");
        Assert.Equal(0, (await a.RunAsync("app", "create", manifest, "--pack")).Code);
        File.Delete(Folder["app/noise"]);
        Assert.Equal(0, (await a.RunAsync("app", "replace", App(2), "--pack-from", Folder.Path)).Code); // paths start from there: app/
        (code, _, error) = await a.RunAsync("app", "replace", App(3), "--pack-from", Folder["none"]);
        Assert.Equal((2, $"{Folder["none"]} is no folder\n"), (code, error));
        File.CreateSymbolicLink(Folder["app/link"], "/etc/passwd");
        (code, _, error) = await a.RunAsync("app", "replace", App(3), "--pack");
        Assert.Equal((2, "the link link leads out of the folder, to /etc/passwd\n"), (code, error));
    }

    private string App(int version)
    {
        Folder.Write("app/words.py", $"words = b'{version}'\n");
        Folder.Write("app/main.py", "import words\n\ndef say(request):\n    yield words.words\n");
        return Folder.Write("app/packed.json", $$"""
            { "type": "python", "args": "main.py", "version": {{version}}, "engine": { "pool-limit": 1 },
              "cluster": { "rollout": { "settle": 0 } },
              "tasks": { "say": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } } }
            """);
    }

    /// <summary>Calls the app at a node until it answers with these words.</summary>
    private static async Task SaysAsync(ServeProcess node, string words)
    {
        await using NodeControlClient control = await node.ConnectAsync();
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(40));
        string said = "";
        while (said != words)
        {
            Assert.False(late.IsCancellationRequested, $"it says '{said}'\n{node.Log}");
            if ((await control.ListAsync()).FirstOrDefault()?.Endpoints is [{ } endpoint])
            {
                try
                {
                    await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
                    said = System.Text.Encoding.UTF8.GetString(await client.CallAsync("say", ReadOnlyMemory<byte>.Empty));
                }
                catch (ConnectionLostException)
                {
                    // it is being replaced, and has another port afterwards
                }
            }

            await Task.Delay(20); // a list tells nobody when it changes
        }
    }
}
