using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Worker;
using Cocaine.Fast.Worker.Serving;
using Cocaine.Fast.Worker.SharedObjects;

// The worker process of a .NET app, or of a C++ app that is a shared object:
// --app NAME --uuid UUID --endpoint PATH --locator HOST:PORT --protocol 1 SOURCE
Dictionary<string, string> options = [];
int next = 0;
for (; next + 1 < args.Length && args[next].StartsWith("--", StringComparison.Ordinal); next += 2)
{
    options[args[next][2..]] = args[next + 1];
}

if (next >= args.Length || !options.ContainsKey("uuid") || !options.ContainsKey("endpoint"))
{
    Console.Error.WriteLine("a worker is started by the node: "
        + "--app NAME --uuid UUID --endpoint PATH --locator HOST:PORT --protocol 1 SOURCE");
    return 2;
}

_ = int.TryParse(EnvironmentNames.Get(EnvironmentNames.AppVersion), out int version);
AppHost app;
PosixSignalRegistration? reports = null; // a C++ app has a report of its own
try
{
    if (NativeApp.IsSharedObject(args[next]))
    {
        return NativeApp.Load(args[next]).RunProcess([args[next], .. args[..next], .. args[(next + 1)..]]);
    }

    reports = StackReport.Listen();
    app = AppHost.Load(args[next], new AppIdentity(options.GetValueOrDefault("app", ""), options["uuid"], version)
    {
        Locator = EnvironmentNames.Get(EnvironmentNames.Locator),
    });
}
catch (Exception failure)
{
    if ((failure is AppLoadException ? failure.InnerException : failure) is { } inner)
    {
        FailureText.PrintLine(FailureText.Details(inner));
    }

    FailureText.PrintLine(failure is AppLoadException ? failure.Message : FailureText.Reason(failure));
    return 1;
}

try
{
    return (int)ProcessWorker.Run(app, options["uuid"], options["endpoint"],
        askForPipe: EnvironmentNames.Get(EnvironmentNames.Pipe) != "0");
}
catch (Exception failure) when (failure is SocketException or IOException)
{
    FailureText.PrintLine($"the node cannot be reached at {options["endpoint"]}: {failure.Message}");
    return (int)WorkerExit.Abandoned;
}
finally
{
    _ = app.End();
    reports.Dispose();
}
