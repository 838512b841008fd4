using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>
/// A task as nodes of 2012 described it: a dealer finds the app by the task's <c>route</c>, and connects to the port of its
/// <c>endpoint</c>. Only tasks with a ZeroMQ socket have the two, because dealers of that time know nothing else.
/// </summary>
/// <remarks>Source: the info methods of the drivers in src/drivers of cocaine-core, January to March 2012.</remarks>
internal static class OldTaskInfo
{
    /// <summary>The host by which routes and endpoints name this node.</summary>
    public static string Host { get; } = Dns.GetHostName();

    /// <summary>The description.</summary>
    /// <param name="app">The task's app.</param>
    /// <param name="name">The task.</param>
    /// <param name="now">The task in <c>info</c>.</param>
    public static JsonObject Of(RunningApp app, string name, JsonElement now)
    {
        JsonObject info = new()
        {
            ["type"] = now.GetProperty("type").GetString(),
            ["statistics"] = new JsonObject
            {
                ["time-spent-in-queues"] = Time(now, "time-in-queue-s", "sum"),
                ["median-wait-time"] = Time(now, "time-in-queue-s", "p50"),
                ["time-spent-on-slaves"] = Time(now, "time-on-slave-s", "sum"),
                ["median-processing-time"] = Time(now, "time-on-slave-s", "p50"),
            },
        };
        TaskManifest? task = app.Manifest.Tasks.FirstOrDefault(task => task.Name == name);
        TaskEndpoint? at = app.Endpoints.FirstOrDefault(at => at.Task == name);
        if (task is not null && at is not null && DriverRegistry.BindsZeroMq(task) && OldEndpoint(at.Endpoint) is { } endpoint)
        {
            info["endpoint"] = endpoint;
            info["route"] = $"default/{Host}/{app.Name}/{name}";
            info["backlog"] = task.Backlog;
        }

        return info;
    }

    /// <summary>HOST:PORT of an endpoint; null when it has no port.</summary>
    private static string? OldEndpoint(string endpoint)
    {
        const string Scheme = "tcp://";
        if (!endpoint.StartsWith(Scheme, StringComparison.Ordinal) || !IPEndPoint.TryParse(endpoint[Scheme.Length..], out IPEndPoint? at))
        {
            return null;
        }

        bool isAny = at.Address.Equals(IPAddress.Any) || at.Address.Equals(IPAddress.IPv6Any);
        return isAny ? $"{Host}:{at.Port}" : at.ToString();
    }

    private static double Time(JsonElement task, string stage, string what) => task.GetProperty(stage).GetProperty(what).GetDouble();
}
