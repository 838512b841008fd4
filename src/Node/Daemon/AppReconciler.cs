using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>Makes the apps of a daemon match its config and its state folder.</summary>
/// <param name="node">Runs the apps.</param>
/// <param name="apps">The known apps.</param>
/// <param name="gates">The right to change an app.</param>
/// <param name="store">The kept apps.</param>
/// <param name="pausedApps">The apps that take no jobs until they are resumed.</param>
/// <param name="config">The present config.</param>
/// <param name="started">Called with each app, or version of it, that runs now.</param>
/// <param name="log">The daemon's log.</param>
internal sealed class AppReconciler(
    CocaineNode node, HostedApps apps, NameGates gates, AppStore store, PausedApps pausedApps, Func<NodeConfig> config,
    Action<HostedApp, RunningApp?> started, ILogger log)
{
    /// <summary>Makes the apps of the node's cluster match too, and returns their names.</summary>
    public Func<ApplyCounts, CancellationToken, Task<IEnumerable<string>>>? Cluster { get; set; }

    /// <summary>Starts, replaces and ends apps, so that those of the config, of the state folder and of the cluster run.</summary>
    public async Task ApplyAsync(CancellationToken cancellation)
    {
        ApplyCounts counts = new();
        Dictionary<string, HostedApp> wanted = ReadFixed(counts, out HashSet<string> unreadable);
        foreach (HostedApp app in apps.Running.Where(app => app.IsFixed && !wanted.ContainsKey(app.Manifest.Name)
            && !unreadable.Contains(app.Text.FilePath))) // apps with unreadable files continue unchanged
        {
            await EndAsync(app.Manifest.Name, counts, cancellation);
        }

        foreach ((string name, HostedApp app) in wanted)
        {
            await EnsureAsync(name, () => app, counts, cancellation);
        }

        HashSet<string> known = [.. wanted.Keys, .. unreadable];
        foreach (StoredApp stored in store.Load())
        {
            known.Add(stored.Name);
            if (wanted.TryGetValue(stored.Name, out HostedApp? hiding))
            {
                DaemonLog.StoredIsHidden(log, stored.Name, hiding.Text.FilePath);
                continue;
            }

            // Read again with the right to change the app: another command may have replaced or deleted it since.
            await EnsureAsync(stored.Name, () => ReadStored(stored.Name), counts, cancellation);
        }

        known.UnionWith(Cluster is { } cluster ? await cluster(counts, cancellation) : []);
        apps.KeepFailures(known);
        pausedApps.Report(unreadable.Count == 0 ? known : null);
        DaemonLog.Applied(log, counts.Added, counts.Changed, counts.Removed, counts.Failed);
    }

    /// <summary>
    /// Replaces an app by its present manifest, which comes from the file when the config names it, whatever the version.
    /// </summary>
    public async Task<ReplaceOutcome> ReloadAsync(string name, CancellationToken cancellation)
    {
        using NameGates.Lease lease = await gates.EnterAsync(name, giveUp: false, cancellation);
        HostedApp old = apps.Find(name) ?? throw node.NoApp(name);
        ManifestText text = old.IsFixed ? TextOf(old.Text.FilePath) : old.Text;
        return await ReplaceAsync(Read(text, old.IsFixed) with { IsOfCluster = old.IsOfCluster, Made = old.Made }, lease.GivenUp);
    }

    /// <summary>
    /// Replaces an app by the manifest that was read before, so that its code is loaded anew. An app that could not be started is started
    /// from its present manifest.
    /// </summary>
    public async Task<ReplaceOutcome> RestartAsync(string name, CancellationToken cancellation)
    {
        using NameGates.Lease lease = await gates.EnterAsync(name, giveUp: false, cancellation);
        if (apps.Find(name) is { } app)
        {
            ReplaceOutcome outcome = await ReplaceAsync(app, lease.GivenUp);
            return outcome with { Note = RestartNote.Of(app.Manifest, app.IsFixed ? RestartNote.ByHangUp : RestartNote.ByReplace) };
        }

        if (apps.ReasonOf(name) is not { } reason)
        {
            throw node.NoApp(name);
        }

        if (FindFixed(name) is null && store.Find(name) is null)
        {
            throw new NodeException($"{name} cannot be started: {reason}; mend it, and send SIGHUP") { Code = ErrorCodes.BadRequest };
        }

        return await StartFailedAsync(name, lease.GivenUp);
    }

    private async Task<ReplaceOutcome> StartFailedAsync(string name, CancellationToken cancellation)
    {
        int version = 0;
        try
        {
            HostedApp app = FindFixed(name) ?? ReadStored(name) ?? throw node.NoApp(name);
            version = app.Manifest.Version;
            await StartAsync(app, cancellation);
            return new ReplaceOutcome(name, version, version, true, null, Task.CompletedTask) { Note = "it did not run, and was started" };
        }
        catch (Exception failure) when (failure is NodeException or ManifestException)
        {
            apps.SetFailed(name, failure.Message);
            return new ReplaceOutcome(name, version, version, false, failure.Message, Task.CompletedTask);
        }
    }

    /// <summary>The app of the config that has this name now; null when there is none. Mistakes in other files do not matter.</summary>
    private HostedApp? FindFixed(string name)
    {
        foreach (string path in config().Apps)
        {
            try
            {
                if (Read(TextOf(path), isFixed: true) is { } app && app.Manifest.Name == name)
                {
                    return app;
                }
            }
            catch (Exception mistake) when (mistake is NodeException or ManifestException)
            {
                // The file is listed under its path, with the mistake.
            }
        }

        return null;
    }

    private async Task StartAsync(HostedApp app, CancellationToken cancellation)
    {
        string name = app.Manifest.Name;
        bool paused = pausedApps.IsPaused(name);
        started(app, await node.AddAsync(app.Manifest, paused, cancellation));
        if (paused)
        {
            DaemonLog.StartsPaused(log, name);
        }
    }

    /// <summary>The apps of the config by name, and the files that cannot be read as an app.</summary>
    private Dictionary<string, HostedApp> ReadFixed(ApplyCounts counts, out HashSet<string> unreadable)
    {
        Dictionary<string, HostedApp> wanted = [];
        unreadable = [];
        foreach (string path in config().Apps)
        {
            try
            {
                HostedApp app = Read(TextOf(path), isFixed: true);
                if (!wanted.TryAdd(app.Manifest.Name, app))
                {
                    throw new NodeException($"{path}: another manifest of the config has the name {app.Manifest.Name} already");
                }
            }
            catch (Exception failure) when (failure is NodeException or ManifestException)
            {
                unreadable.Add(path);
                Fail(apps.Running.FirstOrDefault(app => app.IsFixed && app.Text.FilePath == path)?.Manifest.Name ?? path, failure, counts);
            }
        }

        return wanted;
    }

    private HostedApp? ReadStored(string name)
    {
        if (apps.Find(name) is { IsFixed: false, IsOfCluster: false } running)
        {
            return Read(running.Text, isFixed: false);
        }

        if (store.Find(name) is not { } stored)
        {
            return null;
        }

        HostedApp app = stored.Problem is { } problem ? throw new NodeException(problem) : Read(stored.Manifest!, isFixed: false);
        return app.Manifest.Name == name ? app
            : throw new NodeException(store.Broken(name, $"it holds app {app.Manifest.Name}: it was copied or renamed"));
    }

    /// <summary>
    /// Starts an app or replaces the running app of its name; a failure is logged and listed, and does not stop the caller.
    /// </summary>
    /// <param name="name">The app.</param>
    /// <param name="read">The app as it should be; null when it is gone.</param>
    /// <param name="counts">Counts the changes.</param>
    /// <param name="cancellation">The node stops.</param>
    public async Task EnsureAsync(string name, Func<HostedApp?> read, ApplyCounts counts, CancellationToken cancellation)
    {
        using NameGates.Lease lease = await gates.EnterAsync(name, giveUp: false, cancellation);
        try
        {
            HostedApp? old = apps.Find(name);
            if (read() is not { } app || old?.IsSameAs(app) == true)
            {
                return;
            }

            if (old is null)
            {
                await StartAsync(app, lease.GivenUp);
                counts.Added++;
            }
            else if (await ReplaceAsync(app, lease.GivenUp) is { Replaced: false } outcome)
            {
                throw new NodeException($"version {outcome.ToVersion} did not come up, {outcome.FromVersion} goes on: {outcome.Reason}");
            }
            else
            {
                counts.Changed++;
            }
        }
        catch (Exception failure) when (failure is not OutOfMemoryException && !cancellation.IsCancellationRequested)
        {
            Fail(name, failure, counts);
        }
    }

    /// <summary>Ends an app that is not wanted any more; its jobs may finish.</summary>
    public async Task EndAsync(string name, ApplyCounts counts, CancellationToken cancellation)
    {
        using NameGates.Lease lease = await gates.EnterAsync(name, giveUp: true, cancellation);
        await pausedApps.ForgetAsync(name, () => apps.Remove(name), cancellation);
        try
        {
            await node.DeleteAsync(name, TimeSpan.FromMilliseconds(config().DrainTimeoutMs), cancellation);
            counts.Removed++;
        }
        catch (NodeException failure)
        {
            Fail(name, failure, counts);
        }
    }

    /// <summary>Replaces the running app of this name; the caller has the right to change it.</summary>
    private async Task<ReplaceOutcome> ReplaceAsync(HostedApp app, CancellationToken cancellation)
    {
        ReplaceOutcome outcome = await node.ReplaceAsync(app.Manifest, force: true, cancellation);
        if (outcome.Replaced)
        {
            started(app, node.Find(app.Manifest.Name));
        }

        return outcome;
    }

    /// <summary>Logs and lists a failure of an app.</summary>
    public void Fail(string name, Exception failure, ApplyCounts counts)
    {
        counts.Failed++;
        bool isKnown = failure is NodeException or ManifestException or IOException or UnauthorizedAccessException;
        string reason = isKnown ? failure.Message : "it failed in a way that nobody expected: the node's log has the cause";
        counts.Reason = reason;
        if (!isKnown)
        {
            DaemonLog.Fault(log, failure, name);
        }

        if (apps.Find(name) is null)
        {
            apps.SetFailed(name, reason);
            DaemonLog.AppSkipped(log, name, reason);
        }
        else
        {
            DaemonLog.ReloadProblem(log, $"app {name} goes on as it was: {reason}");
        }
    }

    /// <summary>Reads a manifest with the defaults of the node.</summary>
    /// <exception cref="ManifestException">The manifest has mistakes.</exception>
    public HostedApp Read(ManifestText text, bool isFixed) => HostedApp.Read(text, config(), isFixed);

    private static ManifestText TextOf(string path) => JsonText.ReadFile(path, "manifest", out string problem) is { } bytes
        ? new ManifestText(bytes, path) : throw new NodeException($"{path}: {problem}");
}
