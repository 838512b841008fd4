using Cocaine.Fast.Backends.Languages;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Transport.Limits;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Backends.Threads;

/// <summary>Makes slaves that are threads of the node. Each thread loads the app's code for itself.</summary>
/// <param name="app">The app.</param>
/// <param name="loop">The loop that the app's engine lives on.</param>
/// <param name="locator">The address of the node's locator.</param>
/// <param name="left">Counts threads and code that slaves of any version of the app have left behind.</param>
/// <param name="log">The app's log.</param>
internal sealed class ThreadBackend(AppManifest app, EventLoop loop, LocatorAddress locator, LeftBehind left, ILogger log) : ISlaveBackend
{
    public AppManifest App { get; } = app;

    public EventLoop Loop { get; } = loop;

    public ILogger Log { get; } = log;

    public LocatorAddress Locator { get; } = locator;

    public LeftBehind Left { get; } = left;

    int ISlaveBackend.ThreadsLeft => Left.Threads;

    int ISlaveBackend.CodeLeft => Left.Code.Count;

    public SlaveLink Launch(Slave slave) => ThreadLink.Launch(this, slave);

    public SlaveRoom RoomFor(int wanted, bool isFirst)
    {
        (int room, string reason) = NodeRoom.For(wanted, tasks: 1, isFirst);
        return new SlaveRoom(room, reason);
    }
}

internal static partial class ThreadLog
{
    [LoggerMessage(450, LogLevel.Warning,
        "{App}: slave {Slave} is given up: {Reason}{Jobs}. Its thread cannot be ended from outside and stays until its handler returns; "
        + "{Left} such threads of the app are left now, and past {Most} it gets no more slaves{Running}")]
    public static partial void Abandoned(
        ILogger log, string app, string slave, string reason, string jobs, int left, int most, string running);

    [LoggerMessage(452, LogLevel.Warning,
        "{App}: the code of {Left} slaves that have ended is still in memory, and more with each slave that is recycled or replaced: "
        + "something of the app outlives its slaves, most often a static timer, a thread or an event handler. Let the app's class be "
        + "IDisposable and end it there, or run the app with \"backend\": \"process\"")]
    public static partial void CodeStays(ILogger log, string app, int left);

    [LoggerMessage(453, LogLevel.Warning, "{App}: slave {Slave} could not start: {Details}")]
    public static partial void NotStarted(ILogger log, string app, string slave, string details);

    [LoggerMessage(451, LogLevel.Information, "{App}: the thread of slave {Slave}, which was given up, has ended; {Left} are left")]
    public static partial void EndedLate(ILogger log, string app, string slave, int left);
}
