using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>
/// Version 3 of the JSON control protocol of 2012: a signature in the frame after the request, made over the request's bytes with an RSA
/// key and SHA-256. The request names its sender, this node, the time and a number of its own, so it counts once, here and now.
/// </summary>
/// <remarks>
/// The versions of 2012 signed with SHA-1, and a recorded request could be sent again for ever. Both are refused.
/// </remarks>
/// <param name="seals">Has the keys of the senders, and remembers requests; null = the node has none.</param>
/// <param name="node">The name of this node in requests.</param>
/// <param name="time">The clock.</param>
internal sealed class SignedRequests(Func<SealGate?> seals, string node, TimeProvider time)
{
    private const int LeastNonceLength = 16, MostNonceLength = 256;

    /// <summary>Verifies a request, once: the same request is refused a second time.</summary>
    /// <param name="request">The bytes of the request.</param>
    /// <param name="signature">The frame after it; empty when there is none.</param>
    /// <param name="root">The request as JSON: an object.</param>
    /// <returns>The name of the sender's RSA key.</returns>
    /// <exception cref="NodeException">The request does not count; the text is for the sender.</exception>
    public string Verify(ReadOnlySpan<byte> request, ReadOnlySpan<byte> signature, JsonElement root)
    {
        string name = TextOf(root, "username");
        if (name.Length == 0)
        {
            throw new NodeException("username expected");
        }

        if (signature.IsEmpty)
        {
            throw new NodeException("signature expected: a frame after the request with its RSA signature, SHA-256");
        }

        if (!IsSignedBy(name, request, signature))
        {
            throw new NodeException("the signature cannot be verified");
        }

        CheckPlaceAndTime(name, root);
        return name;
    }

    private void CheckPlaceAndTime(string name, JsonElement root)
    {
        string meant = TextOf(root, "node");
        if (meant != node)
        {
            throw new NodeException(meant.Length == 0 ? $"node expected: this one is '{node}'" : $"this node is '{node}'");
        }

        long nowS = time.GetUtcNow().ToUnixTimeSeconds();
        if (!root.TryGetProperty("time", out JsonElement sent) || sent.ValueKind != JsonValueKind.Number
            || !sent.TryGetDouble(out double sentS))
        {
            throw new NodeException("time expected: seconds since 1970");
        }

        if (!(Math.Abs(sentS - nowS) <= SealLimits.SkewS))
        {
            throw new NodeException($"the request's time is more than {SealLimits.SkewS} s from this node's");
        }

        string nonce = TextOf(root, "nonce");
        if (nonce.Length is < LeastNonceLength or > MostNonceLength)
        {
            throw new NodeException(
                $"nonce expected: a text of {LeastNonceLength} to {MostNonceLength} characters that no other request has");
        }

        UInt128 number = BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{name}\0{nonce}")));
        SealFault fault = Remember(number, (long)Math.Ceiling(sentS) + SealLimits.SkewS + 1, nowS);
        if (fault != SealFault.None)
        {
            throw new NodeException(fault == SealFault.Full
                ? "the node remembers too many requests of the last two minutes: try again later" : "the request was carried out before");
        }
    }

    private SealFault Remember(UInt128 number, long endsS, long nowS)
    {
        try
        {
            return seals()?.Remember(number, endsS, nowS) ?? SealFault.CannotOpen;
        }
        catch (IOException failure)
        {
            throw new NodeException($"the request cannot be remembered: {failure.Message}", failure);
        }
    }

    /// <summary>A key of this name signed the request. An unknown name and a wrong signature are one answer.</summary>
    private bool IsSignedBy(string name, ReadOnlySpan<byte> request, ReadOnlySpan<byte> signature)
    {
        foreach (CallerKey caller in seals()?.Keys.Callers.Where(caller => caller.Name == name) ?? [])
        {
            using RSA key = RSA.Create(caller.Key.ExportParameters(false)); // one thread at a time uses a key, and this is another one
            if (key.VerifyData(request, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
                || key.VerifyData(request, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss))
            {
                return true;
            }

            if (key.VerifyData(request, signature, HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1))
            {
                throw new NodeException("SHA-1 signatures are not accepted: sign with SHA-256");
            }
        }

        return false;
    }

    private static string TextOf(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
