using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Cocaine.Fast.Core.Sealing;

/// <summary>A public key of a caller, by the name of its file.</summary>
/// <param name="Name">The RSA name of an identity; several keys may have one name while one replaces another.</param>
/// <param name="Thumbprint">The name of the key itself, as in <see cref="RsaKeyText.Thumbprint"/>.</param>
/// <param name="Key">The key. One thread at a time uses it.</param>
internal sealed record CallerKey(string Name, string Thumbprint, RSA Key);

/// <summary>A private key, with the name of its public half.</summary>
/// <param name="Thumbprint">The name of the key, as in <see cref="RsaKeyText.Thumbprint"/>.</param>
/// <param name="Key">The key. One thread at a time uses it.</param>
internal sealed record OwnKey(string Thumbprint, RSA Key);

/// <summary>The keys of a node as they were at one look. Immutable.</summary>
internal sealed class KeyRing
{
    private readonly Dictionary<string, CallerKey> _callers;
    private readonly Dictionary<string, OwnKey> _own;

    /// <param name="callers">The keys of the callers; of two with one thumbprint the last one counts.</param>
    /// <param name="own">The node's private keys, the newest first.</param>
    public KeyRing(IEnumerable<CallerKey> callers, IReadOnlyList<OwnKey> own)
    {
        _callers = [];
        foreach (CallerKey caller in callers)
        {
            _callers[caller.Thumbprint] = caller;
        }

        _own = own.ToDictionary(key => key.Thumbprint);
        Newest = own.Count > 0 ? own[0] : null;
    }

    /// <summary>The node's present key, whose public half callers use; null when the node has none.</summary>
    public OwnKey? Newest { get; }

    /// <summary>All keys of callers.</summary>
    public IReadOnlyCollection<CallerKey> Callers => _callers.Values;

    /// <summary>The thumbprints of the node's own keys.</summary>
    public IReadOnlyCollection<string> Own => _own.Keys;

    /// <summary>The key of a caller.</summary>
    public bool TryGetCaller(string thumbprint, [NotNullWhen(true)] out CallerKey? key) => _callers.TryGetValue(thumbprint, out key);

    /// <summary>A key of the node.</summary>
    public bool TryGetOwn(string thumbprint, [NotNullWhen(true)] out OwnKey? key) => _own.TryGetValue(thumbprint, out key);
}
