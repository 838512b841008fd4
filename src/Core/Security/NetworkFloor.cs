namespace Cocaine.Fast.Core.Security;

/// <summary>
/// The least protection of the doors of a node that other hosts can reach: <c>security.network</c>. Each has what those before it have.
/// </summary>
public enum NetworkFloor
{
    /// <summary>None.</summary>
    Open,

    /// <summary>The bytes are encrypted, and the caller knows the node.</summary>
    Tls,

    /// <summary>The node knows the caller as well.</summary>
    Mutual,

    /// <summary>Each job is sealed. A door without jobs has certificates on both sides.</summary>
    Sealed,
}
