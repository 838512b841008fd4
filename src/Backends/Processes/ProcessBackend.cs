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

/// <summary>Makes slaves that are worker processes of one app. Making it throws an IOException when they cannot be started here at all, or
/// not confined as the manifest says.</summary>
internal sealed class ProcessBackend(
    AppManifest app, EventLoop loop, ProcessLauncher launcher, CommandLine commands, string socketDirectory, string locator, ILogger log)
        : ISlaveBackend
{
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public AppManifest App { get; } = app;

    /// <summary>How its workers are confined; was found out once, when the app started.</summary>
    public Confinement Confinement { get; } = Confinement.Of(app);

    /// <summary>Tells whether the kernel killed a worker because memory ran out.</summary>
    public MemoryKills MemoryKills { get; } = MemoryKills.Of(app);

    /// <summary>Which of its starting workers is heard in the log.</summary>
    public StartsHeard Starts { get; } = new();

    public EventLoop Loop { get; } = loop;

    public ProcessLauncher Launcher { get; } = launcher;

    public CommandLine Commands { get; } = Checked(commands, app);

    public string Locator { get; } = locator;

    public ILogger Log { get; } = log;

    /// <summary>
    /// Processes and threads of one worker, for the bounds of both: the runtimes of JavaScript and .NET start threads of their own.
    /// A worker of JavaScript has 12, idle and under load: node's main thread, its pools of 4 and 4, and those for timers, signals and
    /// <c>--trace-sigint</c>. .NET workers have 6 if handlers stay on the loop, and had 13 under load when they use the thread
    /// pool, on two cores; 3 more are in reserve.
    /// </summary>
    public int TasksOfWorker { get; } = app.Type switch
    {
        AppType.JavaScript => 12,
        AppType.DotNet => 16,
        AppType.Cpp when NativeApp.IsSharedObject(app.Code.Source) => 16, // the .NET worker loads it
        _ => 1,
    };

    public SlaveLink Launch(Slave slave) => new ProcessLink(this, slave);

    public SlaveRoom RoomFor(int wanted, bool isFirst)
    {
        (int room, string reason) = NodeRoom.For(wanted, TasksOfWorker, isFirst);
        return new SlaveRoom(room, reason);
    }

    /// <summary>Lets the app's user connect to a slave's socket, when it is another than the node's.</summary>
    public void Admit(string socketPath)
    {
        if (Confinement.Account is { } account)
        {
            FileOwner.Set(socketPath, account.UserId, account.GroupId);
            File.SetUnixFileMode(socketDirectory, FolderMode); // others may pass through it, and see nothing
        }
    }

    private static CommandLine Checked(CommandLine commands, AppManifest app)
    {
        commands.Check(app);
        return commands;
    }

    /// <summary>Where a slave's socket is; its folder is there: a program that cleans up may have removed it since the last one.</summary>
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
