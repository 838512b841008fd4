using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Transport.Limits;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Backends.Threads;

/// <summary>Makes slaves that are threads of the node. The app's code is loaded once and shared by its threads' class instances.</summary>
internal sealed class ThreadBackend(AppManifest app, EventLoop loop, ILogger log) : ISlaveBackend
{
    public AppManifest App { get; } = app;

    public EventLoop Loop { get; } = loop;

    public ILogger Log { get; } = log;

    public SlaveLink Launch(Slave slave) => new ThreadLink(this, slave);

    public SlaveRoom RoomFor(int wanted, bool isFirst)
    {
        (int room, string reason) = NodeRoom.For(wanted, tasks: 1, isFirst);
        return new SlaveRoom(room, reason);
    }
}

internal static partial class ThreadLog
{
    [LoggerMessage(450, LogLevel.Warning,
        "{App}: slave {Slave} is given up: {Reason}{Jobs}. Its thread cannot be ended from outside and stays until its handler returns")]
    public static partial void Abandoned(ILogger log, string app, string slave, string reason, string jobs);
}
