using System.Text;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Backends.Tests.Processes;

/// <summary>A node as process 1, as in a container: all orphans become its children.</summary>
[Collection(nameof(Alone))]
public sealed class OrphanTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [RootFact]
    public async Task As_process_1_it_takes_the_ends_of_orphans_and_leaves_its_workers_to_those_who_wait_for_them()
    {
        const string Code = """
            import os, subprocess

            def orphans(request):
                for _ in range(20):
                    subprocess.run(["/bin/sh", "-c", "setsid sh -c 'sleep 0.2' & "])

            def count(request):              # orphans that run, and those whose end nobody has taken
                states = []
                for entry in os.listdir("/proc"):
                    if entry.isdigit() and int(entry) not in (1, os.getpid()):
                        try:
                            stat = open("/proc/%s/stat" % entry).read()
                            state, parent = stat[stat.rindex(")") + 2:].split()[:2]
                            if parent == "1" and "sentinel" not in open("/proc/%s/cmdline" % entry).read():
                                states.append(state)
                        except OSError:
                            pass
                return "%d %d" % (len([s for s in states if s != "Z"]), states.count("Z"))

            def die(request):
                os._exit(3)
            """;
        using RunProcess node = RunProcess.Start(
            _folder, Code, "\"engine\": { \"retry-limit\": 0, \"pool-limit\": 1 }",
            before: ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]);
        await using CocaineClient client = await node.ConnectAsync();
        await client.CallAsync("orphans", Utf8.Of(""));
        string counted = "";
        for (int i = 0; i < 3000 && counted != "0 0"; i++)
        {
            counted = Encoding.UTF8.GetString(await client.CallAsync("count", Utf8.Of("")));
            await Task.Delay(10);
        }

        Assert.Equal("0 0", counted);
        for (int i = 0; i < 10; i++)
        {
            Task<byte[]> orphans = client.CallAsync("orphans", Utf8.Of(""));
            CocaineException death = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("die", Utf8.Of("")));
            Assert.Contains("exit code 3", death.Message);
            await orphans;
        }
    }
}
