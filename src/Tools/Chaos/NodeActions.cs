using System.Text.Json;

namespace Cocaine.Fast.Tools.Chaos;

/// <summary>Starts, stops and kills the node, and checks what it leaves behind.</summary>
internal sealed class NodeActions(
    ChaosOptions options, ChaosManifest manifest, ChaosLoad load, ChaosLedger ledger, StreamWriter log, string folder, ChaosTls? tls)
{
    /// <summary>The longest stop: the drain-timeout, and the workers' time after it; and time for a busy machine.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30 + 30);

    /// <summary>
    /// The longest life of a worker after its node: a worker sees the node's end by its socket, or is killed with the node.
    /// </summary>
    private static readonly TimeSpan OrphanLimit = TimeSpan.FromSeconds(15);

    /// <summary>
    /// The longest reload: the file is read twice a second; then the new slaves have their startup-timeout; and time for a busy machine.
    /// </summary>
    private TimeSpan ReloadLimit => TimeSpan.FromMilliseconds(manifest.App.Engine.StartupTimeoutMs + 30_000);

    /// <summary>
    /// Longer than the deadlines and timeouts of most calls of the load, and no more than an operator takes for a hiccup.
    /// </summary>
    private const int MaxSleepMs = 4000;

    /// <summary>The time until a node that is told to reload is told again: longer than most reloads, and short beside the limit.</summary>
    private const int TellAgainMs = 3000;

    /// <summary>The longest time until new clients get a renewed certificate: one look at the files, and time for a busy machine.</summary>
    private static readonly TimeSpan RenewalLimit = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan FenceLimit = TimeSpan.FromSeconds(10);

    /// <summary>The nodes of this run: none of their processes may be left.</summary>
    public List<int> Started { get; } = [];

    public async Task<NodeProcess> StartAsync(CancellationToken cancellation)
    {
        string state = Path.Combine(folder, "state");
        string[] words = tls is not null ? ["serve", "--config", WriteConfig(state, tls)]
            : ["run", manifest.Path, "--locator", "none", "--state", state, "--log-level", "Warning", "--watch"];
        NodeProcess node = await NodeProcess.StartAsync(options.Program, words, manifest.Task, log, cancellation).ConfigureAwait(false);
        node.Endpoint = tls is null ? node.Endpoint : ChaosTls.Secured(node.Endpoint);
        Started.Add(node.Id);
        ledger.NodeStarts = Started.Count;
        await load.ConnectToAsync(node.Endpoint).ConfigureAwait(false);
        return node;
    }

    /// <summary>
    /// SIGSTOP, like a debugger, docker pause or a hypervisor: nobody's silence counts meanwhile. Longer than the timeouts of most calls of
    /// the load.
    /// </summary>
    public static async Task<string?> SleepAsync(NodeProcess node, Random random)
    {
        node.Signal(NodeProcess.Stop);
        await Task.Delay(random.Next(100, MaxSleepMs)).ConfigureAwait(false);
        node.Signal(NodeProcess.Continue);
        return null;
    }

    /// <summary>SIGKILL: the node's workers must end with it.</summary>
    public async Task KillAsync(NodeProcess node)
    {
        await load.ExpectEndAsync().ConfigureAwait(false);
        List<ProcessIdentity> workers = node.Workers;
        node.Signal(NodeProcess.Kill);
        await node.WaitAsync(OrphanLimit).ConfigureAwait(false);
        await CheckWorkersGoneAsync(workers, "was killed").ConfigureAwait(false);
        node.Dispose();
    }

    /// <summary>SIGTERM: accepted requests are answered, and the node ends with success.</summary>
    public async Task StopAsync(NodeProcess node)
    {
        await load.ExpectDrainAsync(FenceLimit).ConfigureAwait(false);
        List<ProcessIdentity> workers = node.Workers;
        node.Signal(NodeProcess.Terminate);
        if (!await node.WaitAsync(StopLimit).ConfigureAwait(false))
        {
            ledger.Fault($"the node has not ended {StopLimit.TotalSeconds} s after SIGTERM");
        }
        else if (node.ExitCode != 0)
        {
            ledger.Fault($"the node ended with exit code {node.ExitCode} after SIGTERM");
        }

        await CheckWorkersGoneAsync(workers, "was stopped").ConfigureAwait(false);
        node.Dispose();
    }

    /// <summary>A new release of the same app, written to the file in the way of an editor.</summary>
    public async Task<string?> ReloadAsync(NodeProcess node, NodeWatch watch)
    {
        long version = manifest.Bump();
        Task<bool> reloaded = watch.WaitForVersionAsync(node, version, ReloadLimit);
        while (tls is not null && !reloaded.IsCompleted)
        {
            node.Signal(NodeProcess.HangUp); // again: the node refuses a version while the one before is coming up
            await Task.WhenAny(reloaded, Task.Delay(TellAgainMs)).ConfigureAwait(false);
        }

        if (!await reloaded.ConfigureAwait(false) && !node.HasExited)
        {
            ledger.Fault($"version {version} of the app is not there {ReloadLimit.TotalSeconds} s after its manifest");
        }

        return null;
    }

    /// <summary>Other certificates of node and clients: connections stay, and new ones have the new certificates.</summary>
    public async Task<string?> RenewAsync(NodeProcess node)
    {
        await tls!.RenewAsync().ConfigureAwait(false);
        node.Signal(NodeProcess.HangUp);
        using CancellationTokenSource late = new(RenewalLimit);
        while (!node.HasExited && !await tls.IsRenewedAsync(node.Endpoint).ConfigureAwait(false))
        {
            if (late.IsCancellationRequested)
            {
                ledger.Fault($"the node does not show its new certificate {RenewalLimit.TotalSeconds} s after it was told");
                break;
            }

            await Task.Delay(50, CancellationToken.None).ConfigureAwait(false);
        }

        return null;
    }

    /// <summary>The config of a node with TLS: <c>run</c> has no keys.</summary>
    private string WriteConfig(string state, ChaosTls secured)
    {
        string path = Path.Combine(folder, "node.json");
        File.WriteAllText(path, JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["state"] = state,
            ["locator"] = "none",
            ["control"] = new Dictionary<string, string> { ["endpoint"] = $"ipc://{Path.Combine(folder, "control.sock")}" },
            ["log"] = new Dictionary<string, string> { ["level"] = "warning" },
            ["security"] = new Dictionary<string, object> { ["tls"] = secured.Config },
            ["apps"] = new[] { manifest.Path },
        }));
        return path;
    }

    private async Task CheckWorkersGoneAsync(List<ProcessIdentity> workers, string how)
    {
        long end = Environment.TickCount64 + (long)OrphanLimit.TotalMilliseconds;
        while (workers.Exists(ProcessTable.IsAlive) && Environment.TickCount64 < end)
        {
            await Task.Delay(20).ConfigureAwait(false);
        }

        foreach (ProcessIdentity worker in workers.Where(ProcessTable.IsAlive))
        {
            ledger.Fault($"worker {worker.Id} lives on {OrphanLimit.TotalSeconds} s after its node {how}");
        }
    }
}
