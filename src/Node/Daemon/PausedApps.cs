using System.Globalization;
using System.Text;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Transport.Files;
using Cocaine.Fast.Transport.Linux;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>
/// Which apps are paused, for the next start too: of each a file <c>NAME.paused</c> beside those of the created apps, also of an app that
/// the config names. Only the existence of the file counts, so that no damage to its content can be misread.
/// </summary>
internal sealed class PausedApps(string stateFolder, CocaineNode node, HostedApps apps, ILogger log)
{
    private const string Suffix = ".paused";

    private readonly string _folder = Path.Combine(stateFolder, "apps"); // made by the app store
    private readonly NameGates _gates = new(); // not those of replace and delete: a pause does not wait for a version that comes up

    /// <summary>The app was paused and not resumed since.</summary>
    public bool IsPaused(string name) => File.Exists(PathOf(name));

    /// <summary>Pauses an app that runs, and returns when a crash cannot undo it.</summary>
    /// <exception cref="NodeException">No such app runs, or it is paused now but not after a restart.</exception>
    public Task PauseAsync(string name, CancellationToken cancellation) => ChangeAsync(
        name, node.PauseAsync, Keep, "is paused, but that cannot be kept: after a restart it takes jobs", cancellation);

    /// <summary>Undoes a pause in the same way.</summary>
    /// <exception cref="NodeException">No such app runs, or it takes jobs now but not after a restart.</exception>
    public Task ResumeAsync(string name, CancellationToken cancellation) => ChangeAsync(
        name, node.ResumeAsync, Remove, "takes jobs again, but that cannot be kept: after a restart it is paused", cancellation);

    /// <summary>An app goes: <paramref name="forget"/> makes it unknown, so that no pause comes after, and its pause goes too.</summary>
    public async Task ForgetAsync(string name, Action forget, CancellationToken cancellation)
    {
        using NameGates.Lease lease = await _gates.EnterAsync(name, giveUp: false, cancellation);
        forget();
        Forget(name);
    }

    /// <summary>Forgets the pause of an app that was there before one of the same name that was created.</summary>
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

    /// <summary>Tells of what pauses nothing: a file of an app that is not there, or what somebody put into a file's place.</summary>
    /// <param name="known">The apps that are there; null when some of them have no name, because their manifests cannot be read.</param>
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

        await now(name); // first: what does harm is stopped, also when the disk is full
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
