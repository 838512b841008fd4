using System.Diagnostics;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Places;

namespace Cocaine.Fast.Tools.Chaos;

/// <summary>
/// Runs a node with an app as a child process under load, breaks everything that can be broken, and checks that no request is lost, stuck
/// or answered twice.
/// </summary>
public sealed class ChaosRun : IDisposable
{
    private readonly ChaosOptions _options;
    private readonly ChaosLedger _ledger;
    private readonly ChaosLoad _load;
    private readonly ChaosActions _actions;
    private readonly NodeActions _nodes;
    private readonly NodeWatch _watch;
    private readonly StartActions _starts;
    private readonly ChaosManifest _manifest;
    private readonly ChaosTls? _tls;     // null: the doors have no TLS
    private readonly DirectoryInfo _folder;
    private readonly StreamWriter _log;
    private readonly string _logPath;
    private readonly Random _random;
    private NodeProcess? _node;
    private bool _disposed;
    private bool _neverRan;              // the node did not start at all: its log has the reason
    private volatile bool _changing;     // the node is being killed, stopped or started: it is away for a while

    /// <summary>Reads the manifest.</summary>
    /// <exception cref="NodeException">The manifest is wrong, or has no event to put load on.</exception>
    public ChaosRun(ChaosOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _folder = Directory.CreateTempSubdirectory("cocaine-chaos-");
        try
        {
            _manifest = ChaosManifest.Open(options.ManifestPath, _folder.FullName, options.Event, options.UsesTls);
        }
        catch
        {
            _folder.Delete(recursive: true);
            throw;
        }

        _logPath = options.LogPath ?? Path.Combine(Path.GetTempPath(), $"{_folder.Name}.log");
        _log = new StreamWriter(_logPath) { AutoFlush = true };
        _random = new Random(options.Seed);
        _ledger = new ChaosLedger(options.Progress);
        _tls = options.UsesTls ? new ChaosTls(options.Program, _folder.FullName) : null;
        _load = new ChaosLoad(options, _manifest.Event, _ledger, _tls);
        _actions = new ChaosActions(options, _manifest, _load, _ledger, _random, _tls);
        _nodes = new NodeActions(options, _manifest, _load, _ledger, _log, _folder.FullName, _tls);
        _watch = new NodeWatch(options, _ledger, _tls);
        _starts = new StartActions(_manifest, _load, _ledger, _watch, _actions, _random);
    }

    /// <summary>Does the whole run.</summary>
    /// <exception cref="NodeException">The node does not start at all.</exception>
    public async Task<ChaosResult> RunAsync(CancellationToken cancellation = default)
    {
        try
        {
            await (_tls?.MakeAsync() ?? Task.CompletedTask).ConfigureAwait(false);
            _actions.Node = _node = await _nodes.StartAsync(cancellation).ConfigureAwait(false);
        }
        catch (NodeException failure)
        {
            _neverRan = true;
            throw new NodeException($"{failure.Message}; its log is {_logPath}", failure);
        }

        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task sampling = SampleAsync(over.Token);
        try
        {
            await BreakThingsAsync(over.Token).ConfigureAwait(false);
        }
        catch (NodeException failure)
        {
            _ledger.Fault(failure.Message);
        }
        catch (OperationCanceledException)
        {
            // Ended early: the result has everything that was seen until now.
        }

        await _actions.SettleAsync().ConfigureAwait(false);
        bool lives = _node is { HasExited: false };
        await _load.FinishAsync(lives ? AnswerLimit : TimeSpan.Zero).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        await sampling.ConfigureAwait(false);
        if (lives)
        {
            await _watch.CheckQuietAsync(_node!, TimeSpan.FromSeconds(30)).ConfigureAwait(false);
            await _nodes.StopAsync(_node!).ConfigureAwait(false);
        }

        CheckFiles();
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
        _node?.Dispose();
        _load.Dispose();
        _log.Dispose();
        _folder.Delete(recursive: true);
        if (_options.LogPath is null && !_neverRan && _ledger.Result(null).Faults.Count == 0)
        {
            File.Delete(_logPath);
        }
    }

    /// <summary>
    /// A silent worker is found after the heartbeat-timeout; its jobs may run again; and there is time for a busy machine.
    /// </summary>
    private TimeSpan AnswerLimit => TimeSpan.FromMilliseconds(
        _manifest.App.Engine.HeartbeatTimeoutMs + _manifest.App.Engine.TerminationTimeoutMs + 30_000);

    /// <summary>First every action once, in a random order; after that each as often as its weight says.</summary>
    private async Task BreakThingsAsync(CancellationToken cancellation)
    {
        List<ChaosAction> all =
        [
            .. _actions.All(),
            new("let no worker start", 1, () => _starts.BlockStartsAsync(_node!)),
            new("kill workers once ready", 1, () => _starts.KillYoungAsync(_node!)),
            new("reload the app", 1, () => _nodes.ReloadAsync(_node!, _watch)),
        ];
        if (_tls is not null)
        {
            all.Add(new("renew the certificates", 2, () => _nodes.RenewAsync(_node!)));
        }

        if (_options.KillsNode)
        {
            all.Add(new("put the node to sleep", 1, () => NodeActions.SleepAsync(_node!, _random)));
            all.Add(new("stop and start the node", 1, () => ChangeNodeAsync(_nodes.StopAsync, cancellation)));
            all.Add(new("kill and start the node", 1, () => ChangeNodeAsync(_nodes.KillAsync, cancellation)));
        }

        ChaosAction[] first = [.. all];
        _random.Shuffle(first);
        Queue<ChaosAction> next = new(first);
        long end = Clock.NowNs + (long)(_options.Duration.TotalSeconds * 1e9);
        double mean = 1000 / _options.ActionsPerSecond;
        while (Clock.NowNs < end)
        {
            double leftMs = Stopwatch.GetElapsedTime(Clock.NowNs, end).TotalMilliseconds;
            double pauseMs = Math.Min(_random.Next((int)(mean / 2), (int)(mean * 3 / 2) + 1), leftMs);
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Max(1, pauseMs)), cancellation).ConfigureAwait(false);
            if (_node!.HasExited)
            {
                throw new NodeException($"the node has ended by itself with exit code {_node.ExitCode}");
            }

            ChaosAction action = next.TryDequeue(out ChaosAction? once) ? once : Weighted(all);
            string? why = await action.DoAsync().ConfigureAwait(false);
            _ledger.Action(action.Name, why is null, why ?? "");
        }
    }

    private ChaosAction Weighted(List<ChaosAction> all)
    {
        int at = _random.Next(all.Sum(action => action.Weight));
        return all.First(action => (at -= action.Weight) < 0);
    }

    private async Task<string?> ChangeNodeAsync(Func<NodeProcess, Task> end, CancellationToken cancellation)
    {
        _changing = true;
        await end(_node!).ConfigureAwait(false);
        _actions.Node = _node = await _nodes.StartAsync(cancellation).ConfigureAwait(false);
        _changing = false;
        return null;
    }

    private async Task SampleAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            NodeProcess node = _node!;
            if (!_changing && !node.HasExited)
            {
                _watch.Sample(node);
                await _watch.CheckCountersAsync(node).ConfigureAwait(false);
            }

            await Task.WhenAny(Task.Delay(_options.SampleEvery, cancellation)).ConfigureAwait(false);
        }
    }

    /// <summary>A stopped node removes its files in the runtime folder; the next node removes the files of a killed one.</summary>
    private void CheckFiles()
    {
        string folder = Folders.Runtime();
        foreach (string file in Directory.Exists(folder) ? Directory.EnumerateFiles(folder) : [])
        {
            if (_nodes.Started.Exists(id => Path.GetFileName(file).StartsWith($"{id}-", StringComparison.Ordinal)))
            {
                _ledger.Fault($"{file} was left by a node of this run");
            }
        }
    }
}
