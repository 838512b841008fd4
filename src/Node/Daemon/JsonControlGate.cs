using System.Text.Json;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Doors;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>
/// Finds the rights of requests of the JSON control protocol. A request of version 2 has those of everybody on this host, and none once the
/// node has rules. A request of version 3 has the rights of the identity with the key that signed it.
/// </summary>
/// <param name="keeper">The node's rules and audit.</param>
/// <param name="seals">Has the keys of callers; null = the node has none.</param>
internal sealed class JsonControlGate(Doorkeeper keeper, Func<SealGate?> seals)
{
    private const string Door = "control.zeromq", Peer = "zeromq";

    private readonly SignedRequests _signed = new(seals, OldTaskInfo.Host, TimeProvider.System);

    private volatile bool _isPublic;

    /// <summary>Strangers can do nothing here: every request must be signed.</summary>
    public bool IsClosed => keeper.Rules.IsOn && seals() is not null;

    /// <summary>Other hosts can reach the door. From now on it takes nothing while the node has no rules, as after a reload.</summary>
    public void OpenToOthers() => _isPublic = true;

    /// <summary>The rights of a request.</summary>
    /// <param name="version">2 or 3.</param>
    /// <param name="request">The bytes of the request.</param>
    /// <param name="signature">The frame after it; empty when there is none.</param>
    /// <param name="root">The request as JSON: an object.</param>
    /// <exception cref="NodeException">The request does not count; the text is for the sender.</exception>
    public ActionRights RightsOf(int version, ReadOnlySpan<byte> request, ReadOnlySpan<byte> signature, JsonElement root)
    {
        SecurityRules rules = keeper.Rules;
        PeerProof proof = new(CallerPlace.Network);
        if (version == 2)
        {
            return !rules.IsOn && !_isPublic ? Rights(rules, new Caller(null, CallerPlace.Loopback), proof, AuditEntry.NoMeans)
                : throw Refuse(RightsRule.Loopback, "this node takes signed requests only: version 3", "reason=unsigned");
        }

        string name = NameOf(request, signature, root);
        Caller caller = new(rules.OfRsaKey(name), CallerPlace.Network);
        return caller.Identity is not null || (!rules.IsOn && !_isPublic) ? Rights(rules, caller, proof, "rsa")
            : throw Refuse(caller.Name, $"the key of '{name}' belongs to nobody known here", "reason=unknown-key");
    }

    private string NameOf(ReadOnlySpan<byte> request, ReadOnlySpan<byte> signature, JsonElement root)
    {
        try
        {
            if (seals() is null && root.TryGetProperty("username", out _))
            {
                throw new NodeException("this node verifies no signatures: use version 2, or name a folder of keys in security.keys");
            }

            return _signed.Verify(request, signature, root);
        }
        catch (NodeException refused)
        {
            throw Refuse(RightsRule.Anyone, refused.Message, "reason=signature");
        }
    }

    private ActionRights Rights(SecurityRules rules, Caller caller, PeerProof proof, string means) =>
        new(keeper, rules, caller, proof, isTrusted: false, new AuditEntry(caller.Name, means, Peer, Door, "", ""));

    private NodeException Refuse(string caller, string text, string cause)
    {
        AuditEntry entry = new(caller, AuditEntry.NoMeans, Peer, Door, "control", cause);
        keeper.Audit.Deny(in entry);
        return new NodeException(text) { Code = ErrorCodes.Unauthenticated };
    }
}
