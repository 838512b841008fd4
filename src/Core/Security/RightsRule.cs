namespace Cocaine.Fast.Core.Security;

/// <summary>A rule of a config: it grants rights to its callers. No rule takes a right away. Immutable.</summary>
public sealed record RightsRule
{
    /// <summary>Every peer, wherever it is.</summary>
    public const string Anyone = "@anyone";

    /// <summary>Peers that came over TCP from an address of this host.</summary>
    public const string Loopback = "@loopback";

    /// <summary>Peers on a Unix socket.</summary>
    public const string Local = "@local";

    /// <summary>The names with an at sign, for peers by their place.</summary>
    public static IReadOnlyList<string> Places { get; } = [Anyone, Loopback, Local];

    /// <summary>Names of identities, and of <see cref="Places"/>.</summary>
    public required IReadOnlyList<string> Callers { get; init; }

    /// <summary>The events that they may call.</summary>
    public IReadOnlyList<CallGrant> Calls { get; init; } = [];

    /// <summary>The apps that the locator shows to them.</summary>
    public IReadOnlyList<NamePattern> Locate { get; init; } = [];

    /// <summary>The methods of control that they may use; <see cref="ControlVerbs.Every"/> = all.</summary>
    public IReadOnlyList<string> Control { get; init; } = [];

    /// <summary>The apps of <see cref="Control"/>.</summary>
    public IReadOnlyList<NamePattern> Apps { get; init; } = [];

    /// <summary>The rule is for this caller.</summary>
    internal bool IsFor(in Caller caller) => Has(Callers, in caller);

    /// <summary>The list of names of identities and of places has this caller.</summary>
    internal static bool Has(IReadOnlyList<string> callers, in Caller caller)
    {
        foreach (string name in callers)
        {
            bool matches = name switch
            {
                Anyone => true,
                Loopback => caller.Place == CallerPlace.Loopback,
                Local => caller.Place == CallerPlace.Local,
                _ => caller.Identity?.Name == name,
            };
            if (matches)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>The right to call some events of some apps.</summary>
/// <param name="App">The apps.</param>
/// <param name="Events">The events.</param>
public sealed record CallGrant(NamePattern App, IReadOnlyList<NamePattern> Events)
{
    /// <summary>The grant has the event.</summary>
    internal bool HasEvent(ReadOnlySpan<byte> name)
    {
        foreach (NamePattern pattern in Events)
        {
            if (pattern.Matches(name))
            {
                return true;
            }
        }

        return false;
    }
}
