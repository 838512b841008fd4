using System.Net;
using Cocaine.Fast.Cluster.Members;

namespace Cocaine.Fast.Node.Locator;

/// <summary>The nodes of a cluster that take work, for the locator of one of them. Never changed: a later view is another object.</summary>
/// <param name="Self">The uuid of this node.</param>
/// <param name="Others">The others.</param>
/// <param name="Own">The apps of the cluster that are ready on this node.</param>
/// <param name="IsDraining">This node takes no new work itself.</param>
internal sealed record LocatorMembers(string Self, IReadOnlyList<LocatorMember> Others, IReadOnlyList<string> Own, bool IsDraining)
{
    /// <summary>The addresses of an app at other nodes, or of a task of it, each with its node.</summary>
    /// <param name="app">The app.</param>
    /// <param name="task">The task; null = the app.</param>
    /// <param name="isLocal">The client is on the machine of this node.</param>
    public IEnumerable<(string Uuid, long Slots, IReadOnlyList<IPEndPoint> Node)> PlacesOf(string app, string? task, bool isLocal)
    {
        foreach (LocatorMember other in Others)
        {
            if (other.Places.FirstOrDefault(place => place.App == app) is { } place)
            {
                IPEndPoint[] found = [.. AppPlaces.AddressesIn(place, task, other.Address)
                    .Where(at => !IPAddress.IsLoopback(at.Address) || (isLocal && other.IsOnThisMachine))];
                if (found.Length > 0)
                {
                    yield return (other.Uuid, place.Slots, found);
                }
            }
        }
    }
}

/// <summary>Another node.</summary>
/// <param name="Uuid">The node.</param>
/// <param name="Address">The address at which it is found.</param>
/// <param name="Locator">The address of its locator; null when it has none.</param>
/// <param name="IsOnThisMachine">Loopback addresses reach it from this node.</param>
/// <param name="Places">The apps of the cluster that are ready there.</param>
internal sealed record LocatorMember(
    string Uuid, IPAddress Address, IPEndPoint? Locator, bool IsOnThisMachine, IReadOnlyList<AppPlace> Places)
{
    /// <summary>The node by its own word, which may be anything; null when a client could not use it.</summary>
    /// <param name="record">The word.</param>
    /// <param name="machine">The machine of this node.</param>
    public static LocatorMember? Of(MemberRecord record, string machine)
    {
        if (!IPAddress.TryParse(record.Address, out IPAddress? address))
        {
            return null; // the frameworks of Cocaine want addresses
        }

        IPEndPoint? locator = null;
        foreach (string endpoint in record.Locator)
        {
            if (locator is null && endpoint.StartsWith("tcp://", StringComparison.Ordinal))
            {
                _ = IPEndPoint.TryParse(endpoint["tcp://".Length..], out locator);
            }
        }

        bool isAny = locator is not null && (locator.Address.Equals(IPAddress.Any) || locator.Address.Equals(IPAddress.IPv6Any));
        return new LocatorMember(
            record.Uuid, address, isAny ? new IPEndPoint(address, locator!.Port) : locator, record.Machine == machine && machine.Length > 0,
            record.Places);
    }
}
