namespace Cocaine.Fast.Core.Security;

/// <summary>The place of a peer, as the kernel tells it.</summary>
internal enum CallerPlace
{
    /// <summary>Another host, or an address that other hosts can have.</summary>
    Network,

    /// <summary>An address of this host's own network: any user of this host.</summary>
    Loopback,

    /// <summary>A Unix socket.</summary>
    Local,
}

/// <summary>The peer of a door as rules see it.</summary>
/// <param name="Identity">The proven identity; null when there is none.</param>
/// <param name="Place">The place of the peer.</param>
internal readonly record struct Caller(Identity? Identity, CallerPlace Place)
{
    /// <summary>The name in texts and logs.</summary>
    public string Name => Identity?.Name ?? Place switch
    {
        CallerPlace.Local => RightsRule.Local,
        CallerPlace.Loopback => RightsRule.Loopback,
        _ => RightsRule.Anyone,
    };
}
