using System.Text.RegularExpressions;
using Cocaine.Fast.Host.Tests.Survival;

namespace Cocaine.Fast.Host.Tests.Cluster;

/// <summary>The commands of docs/cluster.md, word by word.</summary>
[Collection(nameof(Alone))]
public sealed class ClusterPageTests : IDisposable
{
    private const string Page = "docs/cluster.md";
    private readonly TestFolder _folder = new();

    private readonly string _memory = $"/dev/shm/cocaine-test-{Guid.NewGuid():N}"; // the records of jobs are beside it, and in no other node's place

    public void Dispose()
    {
        _folder.Dispose();
        if (Directory.Exists(_memory))
        {
            Directory.Delete(_memory, recursive: true);
        }
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task Its_first_cluster_comes_up()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        IReadOnlyList<string> blocks = CodeBlocks.Of(Page, "The first cluster");
        Assert.StartsWith("nats-server -js ", blocks[0]);
        string[] start = blocks[0].Split('\n')[1..], commands = blocks[1].Split('\n');
        Assert.All(start, line => Assert.EndsWith(" &", line));
        HostProcess[] nodes = [.. start.Select(line => Start(line[..^2]))];
        try
        {
            await Task.WhenAll(nodes.Select(node => node.UntilAsync("serving: ")));
            Assert.Matches("^attached node=c ", await RunAsync(commands[0]));
            await RunProcess.UntilAsync(() => nodes.Take(2).All(node => node.Errors.Contains("in cluster ")));
            await ListsAsync(@"(?m)^c +up +127\.0\.0\.1 +tcp://127\.0\.0\.1:\d+ ");
            string[] apps = CodeBlocks.Of(Page, "Apps")[0].Split('\n');
            _folder.Manifest("hello");
            Assert.StartsWith("created app=hello version=0\n", await RunAsync(apps[0]));
            await RunProcess.UntilAsync(() => nodes[1].Errors.Contains("app hello: version 0 of the cluster's "));
            Assert.Matches("(?m)^hello +0 +running ", await RunAsync(apps[1]));
            IReadOnlyList<string> rollout = CodeBlocks.Of(Page, "Another version");
            string[] next = rollout[0].Split('\n');
            string path = _folder.Manifest("hello", 1);
            File.WriteAllText(path, File.ReadAllText(path).Replace("\"version\"", "\"cluster\": { \"rollout\": { \"settle\": 0 } }, \"version\""));
            Assert.Matches("^(replaced app=hello node=[abc] version=1\n){3}replaced app=hello from=0 to=1\n$", await RunAsync(next[0]));
            Assert.Matches("^rollout of hello from version 0 to 1 is done\n", await RunAsync(next[1]));
            Assert.Matches(@"(?m)^hello +c +\d+ +1 +ready +done ", await RunAsync(next[2]));
            File.WriteAllText(path, File.ReadAllText(path).Replace("\"cluster\": { \"rollout\": { \"settle\": 0 } }", rollout[1]));
            await RunAsync("cocaine-fast check hello.json");

            _folder.Write("hello/manifest.json", """
                { "name": "packed", "type": "python", "args": "hello.py",
                  "tasks": { "hello": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0" } } }
                """);
            _folder.Write("hello/hello.py", "def hello(request):\n    yield b'hello'\n");
            Assert.StartsWith("created app=packed version=0\n", await RunAsync(CodeBlocks.Of(Page, "Code")[0]));
            string list = await RunAsync(CodeBlocks.Of(Page, "Work goes where there is room")[0]);
            Assert.Matches(@"(?m)^node +state +address +locator +apps +slots +running +queued +out +in ", list);
            string locator = Regex.Match(list, @"(?m)^a .*?(tcp://\S+)").Groups[1].Value; // the port may be another one
            string call = CodeBlocks.Of(Page, "Work goes where there is room")[1].Replace("tcp://127.0.0.1:10053", locator);
            Assert.Equal("world", (await RunAsync(call)).Trim());
            Assert.All(nodes, node => Assert.DoesNotContain("the peer port", node.Errors)); // three free ports
            string[] drain = CodeBlocks.Of(Page, "Draining a node")[0].Split('\n');
            Assert.Equal("drained node=b\n", await RunAsync(drain[0]));
            Assert.Equal("up node=b\n", await RunAsync(drain[1]));
        }
        finally
        {
            Array.ForEach(nodes, node => node.Dispose());
        }

        async Task ListsAsync(string row) // node a hears of node c a moment after its word
        {
            string list = await RunAsync(commands[1]);
            for (long end = System.Environment.TickCount64 + 30_000; !Regex.IsMatch(list, row) && System.Environment.TickCount64 < end;)
            {
                list = await RunAsync(commands[1]);
            }

            Assert.Matches(row, list);
        }

        HostProcess Start(string line) => HostProcess.Start(_folder, WordsOf(line), Environment);

        async Task<string> RunAsync(string line)
        {
            (int code, string output, string errors) = await HostProcess.RunAsync(_folder, WordsOf(line), Environment);
            Assert.True(code == 0, errors);
            return output;
        }

        string WordsOf(string line) => line["cocaine-fast ".Length..].Replace("nats://127.0.0.1:4222", engine.Url);
    }

    [Fact]
    public async Task Its_configs_are_read_as_it_says()
    {
        IReadOnlyList<string> blocks = CodeBlocks.Of(Page, "Security");
        _folder.Write("open.json", blocks[0]);
        _folder.Write("closed.json", blocks[1]);
        (int code, string output, string errors) = await HostProcess.RunAsync(_folder, $"check {_folder["open.json"]}");
        Assert.Equal(2, code);
        Assert.Contains("$.cluster.engine: nats://10.0.0.1:4222 is on another host, and whoever writes to the engine runs code on all nodes", output + errors);
        _folder.Write("open.json", blocks[0].Replace("\"engine\"", "\"insecure\": true, \"engine\""));
        Assert.Equal(0, (await HostProcess.RunAsync(_folder, $"check {_folder["open.json"]}")).Code);
        Assert.Equal(0, (await HostProcess.RunAsync(_folder, $"check {_folder["closed.json"]}")).Code);
    }

    [Fact]
    public async Task Its_tasks_are_read_as_it_says()
    {
        string task = CodeBlocks.Of(Page, "Tasks of which one node makes the jobs")[0];
        string text = $$"""{ "type": "python", "args": "local://{{Repository.Root}}/examples/echo/echo.py", "cluster": { "without-engine": "last" }, {{task}} }""";
        File.WriteAllText(_folder["report.json"], text);
        (int code, _, string errors) = await HostProcess.RunAsync(_folder, $"check {_folder["report.json"]}");
        Assert.True(code == 0, errors);
        Assert.NotEqual(0, (await HostProcess.RunAsync(_folder, $"check {_folder.Write("no.json", text.Replace("\"one\"", "\"none\""))}")).Code);
    }

    private string Environment => $"cd '{_folder.Path}'; mkdir -p '{_memory}'; export COCAINE_RUNTIME_DIR='{_memory}/run' STATE_DIRECTORY='{_folder["state"]}';";
}
