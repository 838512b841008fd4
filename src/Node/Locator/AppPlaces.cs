using System.Net;
using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Locator;

/// <summary>The places of apps, and which of their addresses a client gets.</summary>
internal static class AppPlaces
{
    private const string Tcp = "tcp://";

    /// <summary>The place of an app of this node. Clients of the locator speak docs/protocol.md only.</summary>
    public static AppPlace Of(RunningApp app)
    {
        List<TaskPlace> tasks = [];
        foreach (TaskEndpoint endpoint in app.Endpoints)
        {
            TaskManifest? task = app.Manifest.Tasks.FirstOrDefault(task => task.Name == endpoint.Task); // null in the moment of a change
            if (task is not null && DriverRegistry.SpeaksNative(task) && endpoint.Endpoint.StartsWith(Tcp, StringComparison.Ordinal))
            {
                tasks.Add(new TaskPlace(task.Name, endpoint.Endpoint[Tcp.Length..], DriverRegistry.ServesNative(task)));
            }
        }

        return new AppPlace(app.Name, app.Version.Engines.Sum(engine => (long)engine.Forwarded.Load.Slots), tasks);
    }

    /// <summary>
    /// The addresses for a client, the best first. Any native-server of an app also serves the events of the app's servers that listen on
    /// the same address: so the best address for the app is the one that most of them share.
    /// </summary>
    /// <param name="place">The place.</param>
    /// <param name="task">The task; null = the app.</param>
    /// <param name="node">The address at which the client finds the node.</param>
    public static IReadOnlyList<IPEndPoint> AddressesIn(AppPlace place, string? task, IPAddress node)
    {
        List<(string Task, IPEndPoint At)> found = [];
        foreach (TaskPlace one in place.Tasks)
        {
            if ((task is null ? one.Serves : one.Task == task) && IPEndPoint.TryParse(one.At, out IPEndPoint? at))
            {
                bool any = at.Address.Equals(IPAddress.Any) || at.Address.Equals(IPAddress.IPv6Any);
                found.Add((one.Task, any ? new IPEndPoint(node, at.Port) : at));
            }
        }

        ILookup<IPAddress, string> tasks = found.ToLookup(one => one.At.Address, one => one.Task);
        return [.. found.Select(one => one.At).OrderByDescending(at => tasks[at.Address].Distinct().Count())
            .ThenByDescending(at => at.Address.Equals(node))];
    }
}
