using System.Formats.Asn1;
using System.Security.Cryptography;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>The certificates in a file of revocation lists: whoever shows one of them is no longer served.</summary>
internal sealed class RevokedList
{
    private const string Label = "X509 CRL";

    private readonly HashSet<CertificateKey> _revoked = [];

    /// <summary>No certificate.</summary>
    public static RevokedList None { get; } = new();

    /// <summary>The earliest end of a list, from which on nobody is let in; null when no list has an end.</summary>
    public DateTimeOffset? EndsAt { get; private set; }

    public bool Contains(CertificateKey key) => _revoked.Contains(key);

    /// <summary>Reads the lists of a PEM file. Their signatures are checked by OpenSSL, which refuses handshakes by a wrong one.</summary>
    /// <exception cref="TlsException">The file cannot be read.</exception>
    public static RevokedList Read(string file)
    {
        try
        {
            RevokedList lists = new();
            ReadOnlySpan<char> text = File.ReadAllText(file);
            while (PemEncoding.TryFind(text, out PemFields pem))
            {
                if (text[pem.Label].SequenceEqual(Label))
                {
                    lists.Add(Convert.FromBase64String(text[pem.Base64Data].ToString()));
                }

                text = text[pem.Location.End..];
            }

            return lists;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or AsnContentException or FormatException)
        {
            throw new TlsException(TlsPart.Crl, file, $"{file}: no list of revoked certificates: {failure.Message}");
        }
    }

    /// <summary>A digest of an encoded name.</summary>
    public static string IssuerOf(ReadOnlySpan<byte> name) => Convert.ToHexStringLower(SHA256.HashData(name));

    /// <summary>The digits of a number without leading zeros.</summary>
    public static string SerialOf(ReadOnlySpan<byte> number)
    {
        string digits = Convert.ToHexStringLower(number).TrimStart('0');
        return digits.Length == 0 ? "0" : digits;
    }

    // TBSCertList of RFC 5280 5.1: version, algorithm, issuer, this update, next update, revoked certificates.
    private void Add(byte[] der)
    {
        AsnReader list = new AsnReader(der, AsnEncodingRules.DER).ReadSequence().ReadSequence();
        if (list.PeekTag().HasSameClassAndValue(Asn1Tag.Integer))
        {
            list.ReadEncodedValue();
        }

        list.ReadEncodedValue();
        string issuer = IssuerOf(list.ReadEncodedValue().Span);
        ReadTime(list);
        if (list.HasData && IsTime(list.PeekTag()))
        {
            DateTimeOffset end = ReadTime(list);
            EndsAt = EndsAt is { } other && other < end ? other : end;
        }

        if (!list.HasData || !list.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence))
        {
            return;
        }

        for (AsnReader entries = list.ReadSequence(); entries.HasData;)
        {
            _revoked.Add(new CertificateKey(issuer, SerialOf(entries.ReadSequence().ReadIntegerBytes().Span)));
        }
    }

    private static bool IsTime(Asn1Tag tag) =>
        tag.HasSameClassAndValue(Asn1Tag.UtcTime) || tag.HasSameClassAndValue(Asn1Tag.GeneralizedTime);

    private static DateTimeOffset ReadTime(AsnReader list) =>
        list.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) ? list.ReadUtcTime() : list.ReadGeneralizedTime();
}
