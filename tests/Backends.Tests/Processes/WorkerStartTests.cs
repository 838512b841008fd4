using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Backends.Tests.Processes;

/// <summary>What a worker process is started with, as its first program sees it, and an app whose workers do not start.</summary>
public sealed class WorkerStartTests : IDisposable
{
    private const int DuplicateInheritable = 0;

    private readonly string _folder = Directory.CreateTempSubdirectory("start-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_worker_of_0_11_is_a_failed_start_that_names_the_two_protocols()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Script("""
            exec /usr/bin/python3 - "$@" <<'PYTHON'
            import socket, sys
            at = sys.argv[sys.argv.index("--endpoint") + 1]
            uuid = sys.argv[sys.argv.index("--uuid") + 1].encode()
            worker = socket.socket(socket.AF_UNIX)
            worker.connect(at)
            worker.sendall(b"\x93\x00\x00\x91\xd9" + bytes([len(uuid)]) + uuid)
            worker.recv(1)
            PYTHON
            """), waitReady: false);
        await app.UntilInfoShowsAsync("it speaks the protocol of Cocaine 0.11, and this node speaks protocol 1 of Cocaine 0.12");
    }

    [Fact]
    public async Task A_worker_gets_nothing_of_the_nodes_but_what_it_is_given_and_a_broken_app_tells_it_and_disturbs_no_other()
    {
        Environment.SetEnvironmentVariable("SECRET_OF_THE_NODE", "leak");
        using FileStream open = File.OpenRead("/proc/self/stat");
        int inherited = LibC.fcntl((int)open.SafeFileHandle.DangerousGetHandle(), DuplicateInheritable, 50);
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Script("""
            for fd in /proc/$$/fd/*; do # the shell has the script itself open, and had the folder
                if [ -e "$fd" ] && ! [ "$fd" -ef "$0" ]; then list="$list ${fd##*/}"; fi
            done
            echo "descriptors$list"
            echo "stdin $(readlink /proc/$$/fd/0)"
            echo "pid $$ group $(cut -d ' ' -f 5 /proc/$$/stat)"
            echo "signals" $(grep -E 'SigBlk|SigIgn' /proc/$$/status)
            echo "variables $(tr '\0' '\n' </proc/$$/environ | cut -d = -f 1 | sort | tr '\n' ' ')"
            echo "words $*"
            echo "on stderr" >&2
            exit 7
            """), waitReady: false);
        RunningApp other = await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        await using CocaineClient client = await TestNode.ConnectAsync(app), otherClient = await TestNode.ConnectAsync(other);
        CocaineException failure = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("event", Utf8.Of("x")));
        Assert.Equal("other", Encoding.UTF8.GetString(await otherClient.CallAsync("echo", Utf8.Of("other"))));
        _ = LibC.close(inherited);

        Assert.Equal(500, failure.Code);
        Assert.Equal("the app cannot be started (exit code 7): its log says why", failure.Message); // no word of the app: callers may be anybody
        System.Text.Json.JsonElement info = await InfoAsync(app);
        string[] lines = info.GetProperty("cause").GetString()!.Split('\n'); // and all of it for operators
        Assert.Equal("exit code 7", lines[0]);
        Assert.Equal("descriptors 0 1 2 3", lines[1]);
        Assert.Equal("stdin /dev/null", lines[2]);
        Assert.Matches(@"^pid (\d+) group \1$", lines[3]);
        Assert.Equal("signals SigBlk: 0000000000000000 SigIgn: 0000000000000000", lines[4]);
        Assert.Equal("variables COCAINE_APP_VERSION COCAINE_BEGIN_PAGE GIVEN HOME LANG PATH ", lines[5].Replace("PWD ", "")); // which is the shell's own
        Assert.Matches(@"^words --app script --uuid [0-9a-f-]{36} --endpoint /\S+ --locator \S+ --protocol 1 own words$", lines[6]);
        Assert.Equal("on stderr", lines[7]);
        Assert.Contains("Information script/", node.Log);
        Assert.Equal("\"broken\"", info.GetProperty("state").GetRawText());
        Assert.Equal(0UL, other.Engine.Counters.SlavesDied);
    }

    [Fact]
    public async Task A_broken_app_goes_on_trying_and_serves_when_it_is_mended()
    {
        string mended = Path.Combine(_folder, "mended");
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Script($$"""
            [ -e {{mended}} ] || exit 1
            exec /usr/bin/python3 {{Repository.Root}}/workers/python/cocaine-worker.py "$@"
            """, Path.Combine(Repository.Root, "tests/apps/behaviours.py")), waitReady: false);
        await Assert.ThrowsAsync<NodeException>(() => app.Ready.WaitAsync(TimeSpan.FromSeconds(20)));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        Assert.Equal(500, (await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("echo", Utf8.Of("x")))).Code);
        File.WriteAllText(mended, "");
        await app.UntilInfoShowsAsync("\"state\":\"running\"");
        Assert.Equal("again", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("again"))));
        await app.UntilInfoShowsAsync("\"failed-in-a-row\":0");
        Assert.Contains("no longer broken, a slave is up and stays", node.Log);
    }

    private static async Task<System.Text.Json.JsonElement> InfoAsync(RunningApp app) =>
        System.Text.Json.JsonSerializer.Deserialize<System.Text.Json.JsonElement>(await app.InfoJsonAsync());

    /// <summary>An app whose program is a script of the shell.</summary>
    private AppManifest Script(string text, params string[] words)
    {
        string file = Path.Combine(_folder, "script");
        File.WriteAllText(file, "#!/bin/sh\n" + text.ReplaceLineEndings("\n"));
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return TestApps.Python("behaviours.py") with
        {
            Name = "script",
            Type = AppType.Binary,
            Code = new CodeSource
            {
                Source = file,
                Argv = words.Length > 0 ? words : ["own", "words"],
                Env = new Dictionary<string, string> { ["GIVEN"] = "1" },
            },
        };
    }
}
