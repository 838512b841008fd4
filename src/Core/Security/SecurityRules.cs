using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Cocaine.Fast.Core.Security;

/// <summary>
/// The identities and rules of a node at a moment: immutable, so that every thread may read them. A reload makes another one with a higher
/// generation.
/// </summary>
internal sealed class SecurityRules
{
    private readonly Dictionary<string, Identity> _byCertificate = [];
    private readonly Dictionary<string, Identity> _byRsaKey = [];
    private readonly Dictionary<uint, Identity> _byUser = [];
    private readonly List<(byte[] Hash, Identity Identity)> _tokens = [];
    private readonly HashSet<string> _names;
    private readonly Dictionary<string, CallRate> _rates = [];
    private readonly IReadOnlyList<RightsRule> _rules;

    /// <summary>Makes the rules of a config.</summary>
    /// <param name="config">The config, which was checked.</param>
    /// <param name="generation">The number of the rules: each reload counts one up.</param>
    /// <param name="userOf">The number of a user of this host by name; null when there is no user of that name.</param>
    public SecurityRules(SecurityConfig config, int generation, Func<string, uint?> userOf)
    {
        Generation = generation;
        IsOn = config.HasRules;
        _rules = config.Rights;
        _names = [.. config.Identities.Select(identity => identity.Name)];
        List<string> unknown = [];
        foreach (Identity identity in config.Identities)
        {
            foreach (string name in identity.Certificates)
            {
                _byCertificate.TryAdd(name, identity);
            }

            foreach (string name in identity.RsaKeys)
            {
                _byRsaKey.TryAdd(name, identity);
            }

            if (identity.CallsPerSecond > 0)
            {
                _rates.TryAdd(identity.Name, new CallRate(identity.CallsPerSecond));
            }

            _tokens.AddRange(identity.TokenHashes.Select(hash => (hash, identity)));
            foreach (string name in identity.Users)
            {
                bool isNumber = uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out uint number);
                if ((isNumber ? number : userOf(name)) is { } user)
                {
                    _byUser.TryAdd(user, identity);
                }
                else
                {
                    unknown.Add(name);
                }
            }
        }

        UnknownUsers = unknown;
        SecretHeaders = [.. config.SecretHeaders.Select(Encoding.ASCII.GetBytes)];
    }

    /// <summary>No rules: each door is as open as its endpoint.</summary>
    public static SecurityRules Off { get; } = new(new SecurityConfig(), 0, static _ => null);

    /// <summary>The number of these rules.</summary>
    public int Generation { get; }

    /// <summary>The rules decide; otherwise every peer may use each door that it reaches.</summary>
    public bool IsOn { get; }

    /// <summary>Names of headers that the node writes nowhere, besides the built-in ones.</summary>
    public IReadOnlyList<byte[]> SecretHeaders { get; }

    /// <summary>Users of identities that this host does not have.</summary>
    public IReadOnlyList<string> UnknownUsers { get; }

    /// <summary>
    /// The identity of a certificate; null when none of its names is known, or when its names are those of two identities.
    /// </summary>
    public Identity? OfCertificate(PeerCertificate certificate)
    {
        Identity? found = null;
        foreach (string name in certificate.Names)
        {
            if (_byCertificate.TryGetValue(name, out Identity? one))
            {
                if (found is not null && found != one)
                {
                    return null;
                }

                found = one;
            }
        }

        return found;
    }

    /// <summary>The identity of a user of this host; null when there is none.</summary>
    public Identity? OfUser(uint user) => _byUser.GetValueOrDefault(user);

    /// <summary>The identity of an RSA key by its name; null when there is none.</summary>
    public Identity? OfRsaKey(string name) => _byRsaKey.GetValueOrDefault(name);

    /// <summary>The identity of a token; null when there is none. The time does not tell how much of a hash was right.</summary>
    public Identity? OfToken(ReadOnlySpan<byte> token)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(token, hash);
        Identity? found = null;
        foreach ((byte[] known, Identity identity) in _tokens)
        {
            if (CryptographicOperations.FixedTimeEquals(known, hash))
            {
                found = identity;
            }
        }

        return found;
    }

    /// <summary>The bound on the calls of an identity; null when there is none.</summary>
    public CallRate? RateOf(Identity? identity) => identity is null ? null : _rates.GetValueOrDefault(identity.Name);

    /// <summary>There is an identity of this name, or a place.</summary>
    public bool Knows(string caller) => RightsRule.Places.Contains(caller) || _names.Contains(caller);

    /// <summary>The caller may call the event of the app: the slow way, which <see cref="CallRights"/> does once for each event.</summary>
    public bool MayCall(in Caller caller, string app, ReadOnlySpan<byte> name)
    {
        foreach (RightsRule rule in _rules)
        {
            foreach (CallGrant grant in rule.Calls)
            {
                if (grant.HasEvent(name) && grant.App.Matches(app) && rule.IsFor(in caller))
                {
                    return true;
                }
            }
        }

        return !IsOn;
    }

    /// <summary>The caller may call some event of the app.</summary>
    public bool MayCallSome(in Caller caller, string app)
    {
        Caller peer = caller;
        return !IsOn || _rules.Any(rule => rule.IsFor(in peer) && rule.Calls.Any(grant => grant.App.Matches(app)));
    }

    /// <summary>The caller may learn where the app listens: an app that it may call, or one that its rules locate.</summary>
    public bool MayLocate(in Caller caller, string app)
    {
        Caller peer = caller;
        return MayCallSome(in caller, app) || _rules.Any(rule => rule.IsFor(in peer) && rule.Locate.Any(pattern => pattern.Matches(app)));
    }

    /// <summary>The caller may use some method of control.</summary>
    public bool MayControlSome(in Caller caller)
    {
        Caller peer = caller;
        return _rules.Any(rule => rule.Control.Count > 0 && rule.IsFor(in peer));
    }

    /// <summary>Some user of this host, other than root and the node's own, may use a method of control on a Unix socket.</summary>
    public bool LetsUsersControl => _rules.Any(rule => rule.Control.Count > 0 && rule.Callers.Any(
        name => name is RightsRule.Local or RightsRule.Anyone || _byUser.Values.Any(identity => identity.Name == name)));

    /// <summary>
    /// The caller may use the method of control. <paramref name="app"/> is null for a method that is about no single app: then a rule for
    /// all apps or for some grants it, and the answer has the apps that the rule names.
    /// </summary>
    public bool MayControl(in Caller caller, string verb, string? app)
    {
        Caller peer = caller;
        return _rules.Any(rule => (rule.Control.Contains(verb) || rule.Control.Contains(ControlVerbs.Every))
            && rule.IsFor(in peer) && (app is null || rule.Apps.Any(pattern => pattern.Matches(app))));
    }
}
