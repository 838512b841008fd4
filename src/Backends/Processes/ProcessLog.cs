using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Backends.Processes;

internal static partial class ProcessLog
{
    [LoggerMessage(400, LogLevel.Warning, "{App}: slave {Slave} is killed: {Reason}{Jobs}")]
    public static partial void Killed(ILogger log, string app, string slave, string reason, string jobs);

    [LoggerMessage(401, LogLevel.Information, "{App}/{Slave}: {Line}")]
    public static partial void Output(ILogger log, string app, string slave, string line);

    [LoggerMessage(402, LogLevel.Warning, "{App}/{Slave}: {Line}")]
    public static partial void Errors(ILogger log, string app, string slave, string line);

    [LoggerMessage(403, LogLevel.Warning,
        "{App}: slave {Slave} gets no pipe and stays on its socket: {Reason}; if the slave lives, "
        + "check memory and the limit of open files")]
    public static partial void NoPipe(ILogger log, string app, string slave, string reason);
}
