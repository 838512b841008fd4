using System.Globalization;
using System.Text;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Transport.Files;
using Cocaine.Fast.Transport.Linux;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>
/// Remembers paused apps, also for the next start. Each has a file <c>NAME.paused</c> beside those of the created apps, also when the
/// config names the app. Only the existence of the file counts, so no damage to its content can be misread.
/// </summary>
internal sealed class PausedApps(string stateFolder, CocaineNode node, HostedApps apps, ILogger log)
{
    private const string Suffix = ".paused";

    private readonly string _folder = Path.Combine(stateFolder, "apps"); // made by the app store
    private readonly NameGates _gates = new(); // apart from those of replace and delete: a pause does not wait for a version that comes up

    /// <summary>The app was paused and not resumed since.</summary>
    public bool IsPaused(string name) => File.Exists(PathOf(name));

    /// <summary>Pauses a running app, and returns when a crash cannot undo the pause.</summary>
    /// <exception cref="NodeException">No such app runs, or the app is paused now but will not be after a restart.</exception>
    public Task PauseAsync(string name, CancellationToken cancellation) => ChangeAsync(
        name, node.PauseAsync, Keep, "is paused, but that cannot be kept: after a restart it takes jobs", cancellation);

    /// <summary>Makes an app start paused.</summary>
    /// <exception cref="NodeException">The pause cannot be kept.</exception>
    public void KeepFor(string name)
    {
        try
        {
            Keep(name);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new NodeException($"the pause of app {name} cannot be kept: {failure.Message}", failure);
        }
    }

    /// <summary>Ends a pause in the same way.</summary>
    /// <exception cref="NodeException">No such app runs, or the app takes jobs now but will not after a restart.</exception>
    public Task ResumeAsync(string name, CancellationToken cancellation) => ChangeAsync(
        name, node.ResumeAsync, Remove, "takes jobs again, but that cannot be kept: after a restart it is paused", cancellation);

    /// <summary>
    /// An app goes. <paramref name="forget"/> makes the app unknown, so that no later pause can come, and then its pause goes too.
    /// </summary>
    public async Task ForgetAsync(string name, Action forget, CancellationToken cancellation)
    {
        using NameGates.Lease lease = await _gates.EnterAsync(name, giveUp: false, cancellation);
        forget();
        Forget(name);
    }

    /// <summary>Forgets the pause of an earlier app with the same name as a new one.</summary>
    public void Forget(string name)
    {
        try
        {
            Remove(name);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            DaemonLog.PauseStays(log, name, failure.Message);
        }
    }

    /// <summary>
    /// Logs entries that pause nothing: a file of an app that does not exist, or another kind of file in the place of a pause.
    /// </summary>
    /// <param name="known">The existing apps; null when some have no name, because their manifests cannot be read.</param>
    public void Report(IReadOnlySet<string>? known)
    {
        try
        {
            foreach (string path in Directory.EnumerateFileSystemEntries(_folder, "*" + Suffix).Order(StringComparer.Ordinal))
            {
                string name = Path.GetFileName(path)[..^Suffix.Length];
                if (!File.Exists(path))
                {
                    DaemonLog.PausesNothing(log, path, "it is no file, so the app is not paused");
                }
                else if (known?.Contains(name) == false)
                {
                    DaemonLog.PausesNothing(log, path, $"no app {name} is here");
                }
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            DaemonLog.PausesNothing(log, _folder, failure.Message);
        }
    }

    private async Task ChangeAsync(
        string name, Func<string, Task> now, Action<string> keep, string lost, CancellationToken cancellation)
    {
        using NameGates.Lease lease = await _gates.EnterAsync(name, giveUp: false, cancellation);
        if (apps.Find(name) is null)
        {
            throw apps.ReasonOf(name) is not { } reason ? node.NoApp(name)
                : new NodeException($"app {name} could not be started: {reason}") { Code = ErrorCodes.NotFound };
        }

        await now(name); // first, so that an app that does harm stops also when the disk is full
        try
        {
            keep(name);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new NodeException($"app {name} {lost}: {failure.Message}", failure);
        }
    }

    private void Keep(string name)
    {
        if (!IsPaused(name))
        {
            string time = DateTimeOffset.UtcNow.ToString("u", CultureInfo.InvariantCulture);
            using PendingFile file = PendingFile.Write(PathOf(name), Encoding.UTF8.GetBytes($"paused {time}\n")); // for people
            file.Commit();
        }
    }

    private void Remove(string name)
    {
        if (IsPaused(name))
        {
            File.Delete(PathOf(name));
            FolderSync.Flush(_folder);
        }
    }

    private string PathOf(string name) => Path.Combine(_folder, name + Suffix);
}
