using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Drivers.Base;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.Custom;

/// <summary>Makes a driver of an embedding program one of the node's drivers, and keeps its faults away from the node.</summary>
internal sealed class CustomDriverHost(DriverContext context, CustomDriver driver) : Driver
{
    private readonly TaskJobs _jobs = new(context);

    public override IReadOnlyList<string> Endpoints => driver.Endpoints;

    public override TaskMonitor Monitor => _jobs.Monitor;

    public override IReadOnlyDictionary<string, object> Facts => driver.Facts;

    public override void Open()
    {
        try
        {
            driver.Start(_jobs);
        }
        catch (Exception failure) when (failure is not (OutOfMemoryException or IOException or FormatException or KeyNotFoundException))
        {
            throw new IOException(failure.Message, failure); // a SocketException is not an IOException
        }
    }

    public override void StopTaking() => Guarded(driver.StopTaking);

    public override void Close()
    {
        _jobs.Close();
        Guarded(driver.Close);
    }

    private void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            CustomLog.Fault(context.Log, fault, context.Engine.Name, context.Task.Name, context.Task.DriverType);
        }
    }
}

internal static partial class CustomLog
{
    [LoggerMessage(350, LogLevel.Error,
        "{App}/{Task}: the program's driver {Driver} failed while it was stopped; the app stops all the same")]
    public static partial void Fault(ILogger log, Exception fault, string app, string task, string driver);
}
