using Cocaine.Fast.Backends.Isolation;
using Cocaine.Fast.Backends.Languages;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Transport.Limits;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Trust;
using Cocaine.Fast.Worker.SharedObjects;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Backends.Processes;

/// <summary>
/// Makes slaves that are worker processes of one app. The constructor throws an IOException when the workers cannot be started on this
/// machine, or cannot be confined as the manifest asks.
/// </summary>
internal sealed class ProcessBackend(
    AppManifest app, EventLoop loop, ProcessLauncher launcher, CommandLine commands, string socketDirectory, LocatorAddress locator,
    ILogger log)
        : ISlaveBackend
{
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public AppManifest App { get; } = app;

    /// <summary>The confinement of the app's workers, determined once when the app started.</summary>
    public Confinement Confinement { get; } = Confinement.Of(app);

    /// <summary>Tells whether the kernel killed a worker because memory ran out.</summary>
    public MemoryKills MemoryKills { get; } = MemoryKills.Of(app);

    /// <summary>Says which starting worker is heard in the log.</summary>
    public StartsHeard Starts { get; } = new();

    public EventLoop Loop { get; } = loop;

    public ProcessLauncher Launcher { get; } = launcher;

    public CommandLine Commands { get; } = Checked(commands, app);

    /// <summary>The address of the node's locator.</summary>
    public LocatorAddress Locator { get; } = locator;

    public ILogger Log { get; } = log;

    /// <summary>
    /// Processes and threads of one worker, for the bounds of both: the runtimes of JavaScript and .NET start threads of their own. A
    /// JavaScript worker has 12, idle and under load: node's main thread, its pools of 4 and 4, and the threads for timers, signals and
    /// <c>--trace-sigint</c>. On two cores, a .NET worker has 6 if handlers stay on the loop, and had 13 under load when handlers use the
    /// thread pool; 3 more are in reserve.
    /// </summary>
    public int TasksOfWorker { get; } = app.Type switch
    {
        AppType.JavaScript => 12,
        AppType.DotNet => 16,
        AppType.Cpp when NativeApp.IsSharedObject(app.Code.Source) => 16, // the .NET worker loads the app
        _ => 1,
    };

    public SlaveLink Launch(Slave slave) => new ProcessLink(this, slave);

    public SlaveRoom RoomFor(int wanted, bool isFirst)
    {
        (int room, string reason) = NodeRoom.For(wanted, TasksOfWorker, isFirst);
        return new SlaveRoom(room, reason);
    }

    /// <summary>Lets the app's user connect to a slave's socket, when that user is not the node's.</summary>
    public void Admit(string socketPath)
    {
        if (Confinement.Account is { } account)
        {
            FileOwner.Set(socketPath, account.UserId, account.GroupId);
            File.SetUnixFileMode(socketDirectory, FolderMode); // others may pass through the folder but see no files
        }
    }

    private static CommandLine Checked(CommandLine commands, AppManifest app)
    {
        commands.Check(app);
        return commands;
    }

    /// <summary>
    /// The path of a slave's socket. The method makes sure that the folder exists: a program that cleans up may have removed it since the
    /// last call.
    /// </summary>
    /// <exception cref="IOException">The folder cannot be made again.</exception>
    public string SocketPath(string slave)
    {
        if (!Directory.Exists(socketDirectory))
        {
            PrivateFolder.Make(socketDirectory);
        }

        return Path.Combine(socketDirectory, $"{Environment.ProcessId}-{slave}");
    }
}
