using Cocaine.Fast.Client.Clusters;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Tools.Chaos;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Tools.ClusterChaos;

/// <summary>
/// Runs three nodes and their engine under load, breaks one after the other, and checks that every call has its end, that none is lost that
/// may run twice, and that the cluster becomes whole again.
/// </summary>
internal sealed class ClusterChaosRun : IDisposable
{
    /// <summary>The longest time in which a cluster becomes whole on a busy machine.</summary>
    private static readonly TimeSpan WholeLimit = TimeSpan.FromSeconds(90);

    private readonly ChaosOptions _options;
    private readonly ChaosLedger _ledger;
    private readonly Random _random;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cocaine-chaos-");
    private readonly string _logPath;
    private readonly StreamWriter _log;
    private readonly ChaosManifest _manifest;
    private readonly EngineProcess _engine;
    private readonly MemberProcess[] _nodes;
    private ClusterLoad? _load;     // null until the cluster is whole for the first time
    private ClusterClient? _client; // the same
    private bool _disposed;

    /// <summary>Reads the manifest.</summary>
    /// <exception cref="NodeException">The manifest is wrong, or has no event to put load on.</exception>
    public ClusterChaosRun(ChaosOptions options)
    {
        _options = options;
        _ledger = new ChaosLedger(options.Progress);
        _random = new Random(options.Seed);
        try
        {
            _manifest = ChaosManifest.Open(options.ManifestPath, _folder.FullName, options.Event, usesTls: false, isOfCluster: true);
        }
        catch
        {
            _folder.Delete(recursive: true);
            throw;
        }

        _logPath = options.LogPath ?? Path.Combine(Path.GetTempPath(), $"{_folder.Name}.log");
        _log = new StreamWriter(_logPath) { AutoFlush = true };
        _engine = new EngineProcess(Path.Combine(_folder.FullName, "engine"));
        _nodes = [.. ((string[])["a", "b", "c"]).Select(
            name => new MemberProcess(options.Program, name, Path.Combine(_folder.FullName, name), _engine.Url, _log))];
    }

    /// <summary>Does the whole run.</summary>
    /// <exception cref="NodeException">The cluster does not come up at all.</exception>
    public async Task<ChaosResult> RunAsync(CancellationToken cancellation = default)
    {
        await _engine.StartAsync().ConfigureAwait(false);
        Array.ForEach(_nodes, Start);
        await UntilWholeAsync(hasApp: false).ConfigureAwait(false);
        await using (NodeControlClient control = await NodeControlClient.ConnectAsync(_nodes[0].Control, cancellation)
            .ConfigureAwait(false))
        {
            await control.CreateAsync(Text(), cancellation).ConfigureAwait(false);
        }

        await UntilWholeAsync(hasApp: true).ConfigureAwait(false);
        ClusterOptions options = new() { Locators = await LocatorsAsync().ConfigureAwait(false) };
        _client = await ClusterClient.ConnectAsync(_manifest.App.Name, options, cancellation).ConfigureAwait(false);
        _load = new ClusterLoad(_client, _manifest.Event, _options, _ledger);
        Task load = _load.RunAsync();
        try
        {
            await BreakThingsAsync(cancellation).ConfigureAwait(false);
        }
        catch (NodeException failure)
        {
            _ledger.Fault(failure.Message);
        }
        catch (OperationCanceledException)
        {
            // Ended early: the result has everything that was seen until now.
        }

        _load.Finish();
        await Task.WhenAny(load, Task.Delay(WholeLimit, CancellationToken.None)).ConfigureAwait(false);
        (long begun, long ended) = _load.Counts;
        if (begun != ended)
        {
            _ledger.Fault($"{begun - ended} of {begun} calls have no end");
        }

        await CheckCountsAsync().ConfigureAwait(false);
        bool isWell = _ledger.Result(null).Faults.Count == 0;
        await _log.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        return _ledger.Result(isWell && _options.LogPath is null ? null : _logPath);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _client?.DisposeAsync().AsTask().Wait(WholeLimit);
        Array.ForEach(_nodes, node => node.Dispose());
        _engine.Dispose();
        _log.Dispose();
        _folder.Delete(recursive: true);
        if (_options.LogPath is null && _ledger.Result(null).Faults.Count == 0)
        {
            File.Delete(_logPath);
        }
    }

    /// <summary>First every action once, in a random order; after that by chance. The cluster is whole before each.</summary>
    private async Task BreakThingsAsync(CancellationToken cancellation)
    {
        (string Name, Func<MemberProcess, Task> Do)[] all =
        [
            ("kill a node", node => AwayAsync(() => Kill(node), () => Start(node), 1000)),
            ("stop a node", StopAsync),
            ("put a node to sleep", node => AwayAsync(() => node.Signal(LibC.SIGSTOP), () => node.Signal(LibC.SIGCONT), 3000)),
            ("kill the engine", _ => WithoutEngineAsync(wipes: false, node: null)),
            ("wipe the engine", _ => WithoutEngineAsync(wipes: true, node: null)),
            ("put the engine to sleep", _ => AwayAsync(() => _engine.Signal(LibC.SIGSTOP), () => _engine.Signal(LibC.SIGCONT), 3000)),
            ("kill a node without the engine", node => WithoutEngineAsync(wipes: false, node)),
            ("kill a node and wipe the engine", node => WithoutEngineAsync(wipes: true, node)),
            ("replace the app", ReplaceAsync),
        ];
        (string Name, Func<MemberProcess, Task> Do)[] first = [.. all];
        _random.Shuffle(first);
        long end = Clock.NowNs + (long)(_options.Duration.TotalSeconds * 1e9);
        for (int i = 0; Clock.NowNs < end; i++)
        {
            (string name, Func<MemberProcess, Task> act) = i < first.Length ? first[i] : all[_random.Next(all.Length)];
            MemberProcess node = _nodes[_random.Next(_nodes.Length)];
            await Task.Delay(_random.Next(1, (int)(2000 / _options.ActionsPerSecond)), cancellation).ConfigureAwait(false);
            await act(node).ConfigureAwait(false);
            await UntilWholeAsync(hasApp: true).ConfigureAwait(false);
            _ledger.Action(name, done: true, "");
        }
    }

    private async Task AwayAsync(Action goes, Action comes, int longestMs)
    {
        goes();
        await Task.Delay(_random.Next(longestMs)).ConfigureAwait(false);
        comes();
    }

    private async Task StopAsync(MemberProcess node)
    {
        _load!.HasKilled = true; // a stream of news may find the connection closed before its call
        if (await node.StopAsync().ConfigureAwait(false) is var code && code != 0)
        {
            _ledger.Fault($"node {node.Name} was told to stop, and {(code is null ? "did not" : $"ended with {code}")}");
        }

        node.Kill();
        Start(node);
    }

    private async Task WithoutEngineAsync(bool wipes, MemberProcess? node)
    {
        _engine.Kill(wipes);
        if (node is not null)
        {
            Kill(node);
            Start(node); // by its own disk
        }

        await Task.Delay(_random.Next(2000)).ConfigureAwait(false);
        await _engine.StartAsync().ConfigureAwait(false);
    }

    private async Task ReplaceAsync(MemberProcess node)
    {
        _manifest.Bump();
        await using NodeControlClient control = await NodeControlClient.ConnectAsync(node.Control).ConfigureAwait(false);
        await control.ReplaceAsync(Text()).ConfigureAwait(false);
    }

    private ManifestText Text() => new(File.ReadAllBytes(_manifest.Path), _manifest.Path);

    private void Kill(MemberProcess node)
    {
        _load!.HasKilled = true;
        node.Kill();
    }

    private void Start(MemberProcess node)
    {
        node.Start();
        _ledger.NodeStarts++;
    }

    /// <summary>Waits until all nodes are members, see each other, and run one version of the app, and the client has them all.</summary>
    private async Task UntilWholeAsync(bool hasApp)
    {
        using CancellationTokenSource late = new(WholeLimit);
        while (!await IsWholeAsync(hasApp, late.Token).ConfigureAwait(false))
        {
            if (late.IsCancellationRequested || _nodes.FirstOrDefault(node => !node.Lives) is { } gone)
            {
                string[] states = await Task.WhenAll(_nodes.Select(StateAsync)).ConfigureAwait(false);
                throw new NodeException(
                    $"the cluster is not whole again: {string.Join("; ", states)}; the client: {string.Join(", ", _client?.Nodes ?? [])}");
            }

            await Task.Delay(50, CancellationToken.None).ConfigureAwait(false); // a view tells nobody when it changes
        }
    }

    private async Task<bool> IsWholeAsync(bool hasApp, CancellationToken late)
    {
        HashSet<long> versions = [];
        foreach (MemberProcess node in _nodes)
        {
            ClusterAnswer? seen = await node.SeesAsync(late).ConfigureAwait(false);
            if (seen is not { State: "attached" } || seen.Nodes.Count != _nodes.Length || seen.Nodes.Any(one => one.State != "up"))
            {
                return false;
            }

            if (hasApp)
            {
                if (await node.CountsAsync(_manifest.App.Name, late).ConfigureAwait(false) is not { } counts)
                {
                    return false;
                }

                _ledger.CounterChecks++;
                if (counts.Accepted != counts.Ended + counts.Queued + counts.Running)
                {
                    _ledger.Fault($"the counters of node {node.Name} do not add up: {counts}");
                }

                versions.Add(counts.Version);
            }
        }

        return versions.Count <= 1 && (_client is null || _client.Nodes.Count(node => node.IsConnected) == _nodes.Length);
    }

    private async Task<string> StateAsync(MemberProcess node)
    {
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(5));
        ClusterAnswer? seen = await node.SeesAsync(late.Token).ConfigureAwait(false);
        return seen is null ? $"{node.Name} does not answer"
            : $"{node.Name} is {seen.State} and sees {string.Join(", ", seen.Nodes.Select(one => $"{one.Node} {one.State}"))}";
    }

    private async Task<IReadOnlyList<string>> LocatorsAsync()
    {
        ClusterAnswer? seen = await _nodes[0].SeesAsync(CancellationToken.None).ConfigureAwait(false);
        return [.. seen!.Nodes.Select(node => node.Locator[0])];
    }

    /// <summary>All is answered: nothing waits and nothing runs anywhere.</summary>
    private async Task CheckCountsAsync()
    {
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(30));
        foreach (MemberProcess node in _nodes)
        {
            AppCounts? counts;
            while ((counts = await node.CountsAsync(_manifest.App.Name, late.Token).ConfigureAwait(false)) is not { Queued: 0, Running: 0 }
                && !late.IsCancellationRequested)
            {
                await Task.Delay(50, CancellationToken.None).ConfigureAwait(false);
            }

            if (counts is not { Queued: 0, Running: 0 } || counts.Accepted != counts.Ended)
            {
                _ledger.Fault($"node {node.Name} has jobs left after the end: {counts?.ToString() ?? "it does not answer"}");
            }
        }
    }
}
