using System.Diagnostics;
using System.Globalization;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Backends.Tests.Isolation;

/// <summary>Workers confined as their manifest says, seen in /proc.</summary>
[Collection(nameof(Alone))]
public class IsolationTests
{
    [RootFact]
    public async Task A_worker_has_the_user_limits_priority_cpus_and_folder_of_its_manifest_and_nothing_of_the_nodes_environment()
    {
        Environment.SetEnvironmentVariable("SECRET_OF_THE_NODE", "leak");
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Confined(new IsolationSettings
        {
            User = "nobody",
            MemoryBytes = 512 << 20,
            OpenFiles = 77,
            CpuTimeS = 1000,
            Nice = 7,
            Cpus = [0],
            WorkingFolder = "/usr",
        }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string status = await TextAsync(client, "proc", "status");
        string nobody = File.ReadLines("/etc/passwd").First(line => line.StartsWith("nobody:", StringComparison.Ordinal));
        (string user, string group) = (nobody.Split(':')[2], nobody.Split(':')[3]);
        Assert.Contains($"\nUid:\t{user}\t{user}\t{user}\t{user}\n", status);
        Assert.Contains($"\nGid:\t{group}\t{group}\t{group}\t{group}\n", status);
        Assert.Matches($"\nGroups:\\s*{group}?\\s*\n", status);
        Assert.Contains("\nCapEff:\t0000000000000000\n", status);
        Assert.Contains("\nNoNewPrivs:\t1\n", status);
        Assert.Contains("\nCpus_allowed_list:\t0\n", status);
        string limits = await TextAsync(client, "proc", "limits");
        Assert.Matches(@"Max open files +77 +77 ", limits);
        Assert.Matches(@"Max data size +536870912 +536870912 ", limits);
        Assert.Matches(@"Max cpu time +1000 +1001 ", limits);
        string stat = await TextAsync(client, "proc", "stat");
        Assert.Equal("7", stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[16]);
        Assert.Equal("/usr", await TextAsync(client, "folder"));
        string[] variables = (await TextAsync(client, "proc", "environ")).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
            ["COCAINE_APP_VERSION", "COCAINE_BEGIN_PAGE", "HOME", "LANG", "PATH"],
            variables.Select(variable => variable.Split('=')[0]).Order(StringComparer.Ordinal));
        Assert.Contains($"HOME={nobody.Split(':')[5]}", variables);
        int worker = int.Parse(await TextAsync(client, "pid"), CultureInfo.InvariantCulture);
        Assert.Equal([0, 1, 2], Descriptors(worker).Where(number => number < 3));
        Assert.DoesNotContain(Descriptors(worker), number => number >= 77);
    }

    [RootFact]
    public async Task A_confined_worker_ends_with_its_node()
    {
        string folder = Directory.CreateTempSubdirectory("isolation-").FullName;
        File.WriteAllText(Path.Combine(folder, "behaviours.json"), $$"""
            { "type": "python", "args": "{{Path.Combine(Repository.Root, "tests/apps/behaviours.py")}}",
              "isolation": { "user": "nobody", "nice": 1 },
              "tasks": { "event": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } } }
            """);
        ProcessStartInfo start = new(
            Path.Combine(Repository.Root, "src/Host/bin/Release/net10.0/cocaine-fast"),
            ["run", Path.Combine(folder, "behaviours.json"), "--locator", "none", "--ledger-folder", folder])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process node = Process.Start(start)!;
        _ = node.StandardError.ReadToEndAsync();
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        string ready = (await node.StandardOutput.ReadLineAsync(limit.Token))!;
        Assert.StartsWith("ready ", ready, StringComparison.Ordinal);
        await using CocaineClient client = await CocaineClient.ConnectAsync(ready[(ready.IndexOf("endpoint=", StringComparison.Ordinal) + 9)..]);
        string worker = await TextAsync(client, "pid");
        string busy = Path.Combine("/proc", worker, "cmdline");
        Task<byte[]> held = client.CallAsync("sleep", Utf8.Of("600"));
        node.Kill();
        while (File.Exists(busy) && !File.ReadAllText($"/proc/{worker}/status").Contains("State:\tZ", StringComparison.Ordinal))
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        await Assert.ThrowsAnyAsync<Exception>(() => held);
        Directory.Delete(folder, recursive: true);
    }

    [CgroupFact]
    public async Task Workers_are_in_the_cgroup_of_their_app_from_their_first_instruction_on()
    {
        string folder = Path.Combine(CgroupFactAttribute.Root!, $"test-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
        await using (TestNode node = TestNode.Start())
        {
            RunningApp app = await node.AddAsync(Confined(new IsolationSettings { Cgroup = folder, User = "nobody" }));
            await using CocaineClient client = await TestNode.ConnectAsync(app);
            Assert.Contains($"/{Path.GetFileName(folder)}/behaviours\n", await TextAsync(client, "proc", "cgroup"));
            string worker = await TextAsync(client, "pid");
            Assert.Contains(worker, File.ReadAllLines(Path.Combine(folder, "behaviours", "cgroup.procs")));
        }

        Directory.Delete(Path.Combine(folder, "behaviours"));
        Directory.Delete(folder);
    }

    [Fact]
    public async Task A_worker_that_wants_too_much_memory_or_time_costs_itself_only()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Confined(
            new IsolationSettings { MemoryBytes = 256 << 20, CpuTimeS = 2 }, new EngineSettings { PoolLimit = 3, QueueLimit = 1000, RetryLimit = 0 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string release = Path.Combine(Path.GetTempPath(), $"release-{Guid.NewGuid():N}");
        Task<byte[]> other = client.CallAsync("hold", Utf8.Of(release));
        CocaineException greedy = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("greedy", Utf8.Of("100000")));
        Assert.Equal(502, greedy.Code);
        Assert.Contains("signal 6", greedy.Message);
        CocaineException burnt = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("burn", Utf8.Of("")));
        Assert.Equal(502, burnt.Code);
        Assert.Contains("signal 24", burnt.Message);
        Assert.Equal("took all", await TextAsync(client, "greedy", "10"));
        File.WriteAllText(release, "");
        Assert.Equal("held", Encoding.UTF8.GetString(await other));
        File.Delete(release);
    }

    [Theory]
    [InlineData("user", "isolation.user: there is no user nobody-of-that-name in /etc/passwd")]
    [InlineData("group", "isolation.group: there is no group nobody-of-that-name in /etc/group")]
    [InlineData("cpu", "isolation.cpu-affinity: the node may not use CPU 8191; it may use ")]
    [InlineData("folder", "isolation.working-folder: there is no folder /nowhere")]
    [InlineData("cgroup", "isolation.cgroup: /tmp is no folder of cgroup v2")]
    public async Task What_cannot_be_had_is_an_error_of_the_start_that_names_it(string what, string problem)
    {
        IsolationSettings settings = what switch
        {
            "user" => new IsolationSettings { User = "nobody-of-that-name" },
            "group" => new IsolationSettings { Group = "nobody-of-that-name" },
            "cpu" => new IsolationSettings { Cpus = [0, 8191] },
            "folder" => new IsolationSettings { WorkingFolder = "/nowhere" },
            _ => new IsolationSettings { Cgroup = "/tmp" },
        };
        await using TestNode node = TestNode.Start();
        NodeException failure = await Assert.ThrowsAsync<NodeException>(() => node.AddAsync(Confined(settings)));
        Assert.StartsWith($"app behaviours: {problem}", failure.Message, StringComparison.Ordinal);
        Assert.Empty(node.Node.Apps);
    }

    /// <summary>The node of another user is this program without its rights.</summary>
    [RootFact]
    public async Task A_right_that_the_node_lacks_is_named()
    {
        string folder = Directory.CreateTempSubdirectory("isolation-").FullName;
        string closed = Directory.CreateDirectory(Path.Combine(folder, "closed"), UnixFileMode.UserRead).FullName;
        foreach ((string keys, string problem) in new[]
        {
            ("\"user\": \"nobody\"", "isolation.user: to run workers as nobody the node needs CAP_SETUID: run it as root"),
            ("\"user\": \"root\", \"nice\": -3", "the node needs CAP_SYS_NICE: run it as root"), // its own user takes no right
            ($"\"working-folder\": \"{closed}\"", $"isolation.working-folder: the node's user may not enter {closed}"),
            ("\"nice\": -3", "the node needs CAP_SYS_NICE: run it as root"),
            ("\"files\": 1000000", "isolation.files: 1000000 is over the node's hard limit of 5000: without CAP_SYS_RESOURCE it cannot be raised"),
        })
        {
            File.WriteAllText(Path.Combine(folder, "behaviours.json"), $$"""
                { "type": "python", "args": "{{Path.Combine(Repository.Root, "tests/apps/behaviours.py")}}", "isolation": { {{keys}} },
                  "tasks": { "event": { "type": "native-sink", "endpoint": "tcp://127.0.0.1:0" } } }
                """);
            ProcessStartInfo start = new("/usr/bin/prlimit",
                ["--nofile=5000", "setpriv", "--bounding-set=-all", "--inh-caps=-all",
                    Path.Combine(Repository.Root, "src/Host/bin/Release/net10.0/cocaine-fast"),
                    "run", Path.Combine(folder, "behaviours.json"), "--locator", "none", "--ledger-folder", folder])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using Process node = Process.Start(start)!;
            Task<string> errors = node.StandardError.ReadToEndAsync();
            await node.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);
            Assert.Equal(1, node.ExitCode);
            Assert.Contains(problem, await errors);
        }

        Directory.Delete(folder, recursive: true);
    }

    private static AppManifest Confined(IsolationSettings isolation, EngineSettings? engine = null) =>
        TestApps.Python("behaviours.py", engine) with { Isolation = isolation };

    private static IEnumerable<int> Descriptors(int process) => Directory.EnumerateFileSystemEntries($"/proc/{process}/fd")
        .Select(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture)).Order();

    private static async Task<string> TextAsync(CocaineClient client, string name, string request = "") =>
        Encoding.UTF8.GetString(await client.CallAsync(name, Utf8.Of(request)));
}
