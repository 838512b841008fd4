using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Backends.Tests.Processes;

/// <summary>What the kernel lacks, refuses or did, in words.</summary>
[Collection(nameof(Alone))]
public sealed class KernelTests : IDisposable
{
    private const string Code = """
        import os, signal

        def echo(request):
            return request

        def grab(request):
            kept = []
            while True:
                kept.append(bytearray(os.urandom(1 << 20)))

        def end(request):
            os.kill(os.getpid(), int(request))
        """;

    private const string NoRetry = "\"engine\": { \"retry-limit\": 0, \"pool-limit\": 1 }";

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [NeedsFact("strace", "strace")]
    public async Task Without_pidfd_open_the_least_kernel_is_named_before_anything_is_started()
    {
        using RunProcess node = RunProcess.Start(_folder, Code, before: Inject("pidfd_open:error=ENOSYS"));
        Assert.Equal(1, await node.ExitAsync());
        Assert.Contains("app app: worker processes need Linux 5.4 or later", node.Log);
    }

    [NeedsFact("strace", "strace")]
    public async Task A_start_that_fails_after_its_process_was_made_leaves_no_zombie()
    {
        // The launcher's thread counts for itself: its first call is that of the first worker.
        using RunProcess node = RunProcess.Start(
            _folder, Code, "\"engine\": { \"pool-limit\": 2, \"pool-minimum\": 2 }", before: Inject("pidfd_open:error=EMFILE:when=2+"));
        await node.UntilLogAsync(log => log.Split("pidfd_open: ").Length > 3);
        int program = Assert.Single(ProcessTree.Children(node.Process.Id));
        Assert.Contains("cocaine-fast", ProcessTree.CommandOf(program));
        await RunProcess.UntilAsync(() => ProcessTree.Zombies(program).Length == 0, () => node.Log);
    }

    [Fact]
    public async Task Signals_have_names_and_a_sigkill_of_strangers_is_told_from_one_for_want_of_memory()
    {
        await using TestNode node = TestNode.Start();
        _folder.Write("app.py", Code);
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", new Core.Manifest.EngineSettings { RetryLimit = 0, PoolLimit = 1 }) with
        {
            Code = new Core.Manifest.CodeSource { Source = _folder["app.py"] },
        });
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        Assert.Contains("signal 11 (SIGSEGV)", (await EndAsync(client, 11)).Message);
        Assert.Contains("signal 15 (SIGTERM)", (await EndAsync(client, 15)).Message);
        Assert.Contains("signal 9 (SIGKILL), sent by a process other than the node", (await EndAsync(client, 9)).Message);
    }

    [MemoryCgroupFact]
    public async Task A_worker_that_the_kernel_killed_for_want_of_memory_says_so()
    {
        using MemoryCgroupFactAttribute.Group group = new(256 << 20);
        using RunProcess node = RunProcess.Start(
            _folder, Code, NoRetry, before: ["/bin/sh", "-c", "echo $$ > \"$0\" && exec \"$@\"", group.Processes]);
        await using CocaineClient client = await node.ConnectAsync();
        CocaineException death = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("grab", Utf8.Of("")));
        Assert.Contains("signal 9 (SIGKILL), most likely out of memory", death.Message);
        Assert.Equal("x", System.Text.Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("x"))));
        node.Signal("KILL");
        await node.ExitAsync();
    }

    [NeedsFact("unshare", "util-linux")]
    public async Task A_user_that_the_nodes_user_namespace_lacks_is_an_error_of_the_start()
    {
        using RunProcess node = RunProcess.Start(
            _folder, Code, "\"isolation\": { \"user\": \"nobody\" }", before: ["unshare", "--user", "--map-root-user"]);
        Assert.Equal(1, await node.ExitAsync());
        Assert.Matches("isolation.user: nobody has the number [0-9]+, which the node's user namespace does not have", node.Log);
    }

    private static string[] Inject(string what) =>
        ["strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=pidfd_open", "-e", $"inject={what}"];

    private static Task<CocaineException> EndAsync(CocaineClient client, int signal) =>
        Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("end", Utf8.Of($"{signal}")));
}
