using System.Text.Json;
using Cocaine.Fast.Client;
using MessagePack;

namespace Cocaine.Fast.Tools.Chaos;

/// <summary>Watches the running node: memory, descriptors and threads, and whether its counters add up.</summary>
internal sealed class NodeWatch(ChaosOptions options, ChaosLedger ledger, ChaosTls? tls)
{
    /// <summary>Descriptors of a worker in the node: socket, two bells, pidfd, two pipes; and one in the making.</summary>
    private const int DescriptorsPerWorker = 7;

    /// <summary>Descriptors that the runtime may open for itself at any time: files in /proc, a wait of the thread pool.</summary>
    private const int OwnDescriptors = 8;

    /// <summary>
    /// The growth of one node's memory after the first quarter of its life that is no leak: buffers for the largest burst (20,000 requests
    /// and their answers), and garbage that was not collected yet.
    /// </summary>
    private const long MaxGrowthBytes = 96L << 20;

    private static readonly TimeSpan InfoLimit = TimeSpan.FromSeconds(30);

    public void Sample(NodeProcess node)
    {
        (long rss, int? descriptors, int threads) = ProcessTable.Usage(node.Id);
        if (rss > 0)
        {
            ledger.Sample(new ChaosSample(ledger.Seconds, ledger.NodeStarts, rss, descriptors, threads, node.Workers.Count));
        }
    }

    /// <summary>
    /// Asks for the counters and checks them; returns how many jobs are queued and running, or null when the node cannot be asked.
    /// </summary>
    public async Task<(long Queued, long Running)?> CheckCountersAsync(NodeProcess node)
    {
        using JsonDocument? json = await InfoAsync(node).ConfigureAwait(false);
        if (json is null)
        {
            return null;
        }

        JsonElement jobs = json.RootElement.GetProperty("jobs");
        long accepted = Number(jobs, "accepted"), done = Number(jobs, "done"), failed = Number(jobs, "failed");
        long queued = Number(jobs, "queued"), running = Number(jobs, "running");
        ledger.CounterChecks++;
        if (accepted != done + failed + queued + running)
        {
            ledger.Fault(
                $"the counters do not add up: {accepted} accepted, {done} done, {failed} failed, {queued} queued, {running} running");
        }

        return (queued, running);
    }

    /// <summary>All clients are gone and all requests are answered: nothing of them may be left.</summary>
    public async Task CheckQuietAsync(NodeProcess node, TimeSpan limit)
    {
        long end = Environment.TickCount64 + (long)limit.TotalMilliseconds;
        (long Queued, long Running)? jobs;
        int over;
        if (!ProcessTable.SeesDescriptors(node.Id))
        {
            ledger.Unchecked("the node's descriptors: a node with keys shows them to root alone, so run this command as root for it");
        }

        do
        {
            await Task.Delay(100).ConfigureAwait(false);
            jobs = await CheckCountersAsync(node).ConfigureAwait(false);
            int workers = Math.Max(0, node.Workers.Count - node.BaseWorkers);
            int allowed = node.BaseDescriptors.Values.Sum() + (workers * DescriptorsPerWorker) + OwnDescriptors;
            over = ProcessTable.Descriptors(node.Id).Values.Sum() - allowed;
        }
        while ((jobs is not (0, 0) || over > 0) && Environment.TickCount64 < end);

        if (jobs is not (0, 0))
        {
            ledger.Fault(jobs is { } left ? $"{left.Queued} jobs are queued and {left.Running} run, and nobody waits for them"
                : "the node does not say how many jobs it has");
        }

        if (over > 0)
        {
            ledger.Fault($"{over} descriptors more than before the first client, besides {DescriptorsPerWorker} for each worker: "
                + string.Join(", ", ProcessTable.Descriptors(node.Id)
                    .Select(kind => (kind.Key, Count: kind.Value - node.BaseDescriptors.GetValueOrDefault(kind.Key)))
                    .Where(kind => kind.Count > 0).Select(kind => $"{kind.Count} {kind.Key}")));
        }

        CheckMemory();
    }

    /// <summary>Waits until the node runs this release of the app; false when the node does not reach it.</summary>
    public async Task<bool> WaitForVersionAsync(NodeProcess node, long version, TimeSpan limit)
    {
        long end = Environment.TickCount64 + (long)limit.TotalMilliseconds;
        while (Environment.TickCount64 < end && !node.HasExited)
        {
            using (JsonDocument? json = await InfoAsync(node).ConfigureAwait(false))
            {
                if (json is not null && Number(json.RootElement, "version") == version)
                {
                    return true;
                }
            }

            await Task.Delay(50).ConfigureAwait(false);
        }

        return false;
    }

    /// <summary>The app's slaves; null when the node cannot be asked.</summary>
    public async Task<PoolView?> PoolAsync(NodeProcess node)
    {
        using JsonDocument? json = await InfoAsync(node).ConfigureAwait(false);
        return json is null ? null : PoolView.Of(json);
    }

    private async Task<JsonDocument?> InfoAsync(NodeProcess node)
    {
        try
        {
            using CancellationTokenSource late = new(InfoLimit);
            await using CocaineClient client = await CocaineClient.ConnectAsync(node.Endpoint, tls?.Client, late.Token)
                .ConfigureAwait(false);
            byte[] info = await client.InfoAsync(late.Token).ConfigureAwait(false);
            return JsonDocument.Parse(MessagePackSerializer.ConvertToJson(info));
        }
        catch (ConnectionLostException)
        {
            return null; // the node is being killed, or the watcher of the process reports it
        }
        catch (OperationCanceledException)
        {
            ledger.Fault($"the node does not answer info within {InfoLimit.TotalSeconds} s");
            return null;
        }
    }

    private static long Number(JsonElement map, string name) => map.GetProperty(name).GetInt64();

    /// <summary>Judges the last node, when it lived long enough.</summary>
    private void CheckMemory()
    {
        List<ChaosSample> life = [.. ledger.Samples.Where(sample => sample.Node == ledger.NodeStarts)];
        if (life.Count * options.SampleEvery.TotalSeconds < 10)
        {
            return;
        }

        long warm = life.Take(Math.Max(1, life.Count / 4)).Max(sample => sample.RssBytes);
        long last = life.Skip(life.Count * 3 / 4).Min(sample => sample.RssBytes); // the lowest: memory below it is kept
        if (last - warm > MaxGrowthBytes)
        {
            ledger.Fault($"the node's memory grew from {warm >> 20} to {last >> 20} MiB");
        }
    }
}
