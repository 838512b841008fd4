using System.Globalization;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Backends.Tests.Processes;

/// <summary>Nothing that a worker started outlives its node, however that ends; and a node leaves no zombies and no files.</summary>
[Collection(nameof(Alone))]
public sealed class LeftBehindTests : IDisposable
{
    private const string Starts = """
        import os, subprocess, time

        def start(request):                 # a program, and a fork of the worker itself
            program = subprocess.Popen(["/bin/sleep", "98765"])
            fork = os.fork()
            if fork == 0:
                time.sleep(98765)
                os._exit(0)
            return "%d %d" % (program.pid, fork)

        def die(request):
            os._exit(3)

        def leave(request):                 # into the group of a child: the worker's own group is empty then
            child = os.fork()
            if child == 0:
                os.setpgid(0, 0)
                time.sleep(600)
                os._exit(0)
            while True:
                try:
                    os.setpgid(0, child)
                    break
                except OSError:
                    pass                    # the child has not made it yet
            open(request.decode(), "w").write("%d %d" % (os.getpid(), child))
            time.sleep(600)
        """;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_killed_node_takes_the_children_of_its_workers_with_it()
    {
        using RunProcess node = RunProcess.Start(_folder, Starts);
        await using CocaineClient client = await node.ConnectAsync();
        int[] children = await StartAsync(client);
        await RunProcess.UntilAsync(() => ProcessTree.Sentinels(node.Process.Id).Length == 1);
        node.Signal("KILL");
        await RunProcess.UntilAsync(() => !children.Any(ProcessTree.IsAlive));
    }

    [Fact]
    public async Task A_sentinel_that_was_killed_is_replaced_and_told_of_all_that_is_there()
    {
        using RunProcess node = RunProcess.Start(_folder, Starts, "\"engine\": { \"pool-limit\": 2, \"pool-minimum\": 2, \"retry-limit\": 0 }");
        await using CocaineClient client = await node.ConnectAsync();
        await node.UntilLogAsync(log => log.Split("is ready over").Length > 2);
        int[] first = ProcessTree.Sentinels(node.Process.Id);
        int[] children = await StartAsync(client);
        RunProcess.Signal(Assert.Single(first), "KILL");
        await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("die", Utf8.Of(""))); // the next line to it fails
        await RunProcess.UntilAsync(() => ProcessTree.Sentinels(node.Process.Id).Except(first).Any());
        children = [.. children.Where(ProcessTree.IsAlive), .. await StartAsync(client)]; // which slave died is the pool's choice
        node.Signal("KILL");
        await RunProcess.UntilAsync(() => !children.Any(ProcessTree.IsAlive));
    }

    [Fact]
    public async Task A_node_leaves_none_of_its_processes_at_a_stop_and_none_of_the_runtimes_files_when_it_is_killed()
    {
        string temporary = Directory.CreateDirectory(_folder["tmp"]).FullName;
        using (RunProcess stopped = RunProcess.Start(_folder, Starts))
        {
            await using CocaineClient client = await stopped.ConnectAsync();
            int[] children = await StartAsync(client);
            await RunProcess.UntilAsync(() => ProcessTree.Sentinels(stopped.Process.Id).Length == 1);
            int[] own = [.. ProcessTree.Children(stopped.Process.Id), .. children];
            stopped.Signal("TERM");
            Assert.Equal(0, await stopped.ExitAsync());
            Assert.DoesNotContain(own, ProcessTree.IsAlive);
        }

        using RunProcess killed = RunProcess.Start(_folder, Starts, environment: ("TMPDIR", temporary));
        await using CocaineClient other = await killed.ConnectAsync();
        await RunProcess.UntilAsync(() => ProcessTree.Sentinels(killed.Process.Id).Length == 1);
        Assert.NotEmpty(Directory.EnumerateFileSystemEntries(temporary));
        killed.Signal("KILL");
        await RunProcess.UntilAsync(
            () => !Directory.EnumerateFileSystemEntries(temporary).Any(), () => string.Join(' ', Directory.GetFileSystemEntries(temporary)));
    }

    [Fact]
    public async Task Workers_of_dotnet_leave_no_files_for_debuggers_unless_the_manifest_asks_for_them()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(Core.Manifest.BackendType.Process));
        int worker = app.Engine.Pool.Roster.Slaves[0].Link.ProcessId;
        Assert.Contains("DOTNET_EnableDiagnostics=0", File.ReadAllText($"/proc/{worker}/environ"));
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries("/tmp"), file => file.Contains($"-{worker}-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_worker_that_has_left_its_process_group_and_hangs_is_killed_too()
    {
        using RunProcess node = RunProcess.Start(_folder, Starts, "\"engine\": { \"heartbeat-timeout\": 1, \"retry-limit\": 0, \"pool-limit\": 1 }");
        await using CocaineClient client = await node.ConnectAsync();
        Task<byte[]> hangs = client.CallAsync("leave", Utf8.Of(_folder["pids"]));
        await RunProcess.UntilAsync(() => File.Exists(_folder["pids"]) && File.ReadAllText(_folder["pids"]).Contains(' '));
        int[] processes = Numbers(File.ReadAllText(_folder["pids"]));
        Assert.Equal(504, (await Assert.ThrowsAsync<CocaineException>(() => hangs)).Code);
        await RunProcess.UntilAsync(() => !ProcessTree.IsAlive(processes[0]), () => node.Log);
        RunProcess.Signal(processes[1], "KILL"); // a group of its own is nobody's
    }

    private static async Task<int[]> StartAsync(CocaineClient client)
    {
        int[] children = Numbers(Encoding.UTF8.GetString(await client.CallAsync("start", Utf8.Of(""))));
        Assert.All(children, child => Assert.True(ProcessTree.IsAlive(child)));
        return children;
    }

    private static int[] Numbers(string text) => [.. text.Split(' ').Select(number => int.Parse(number, CultureInfo.InvariantCulture))];
}
