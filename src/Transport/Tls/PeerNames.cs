using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>
/// Reads the names of a certificate that was verified. A name with a control character, or with one that its type does not allow, is left
/// out: nobody can be known by it.
/// </summary>
internal static class PeerNames
{
    private const string AlternativeNames = "2.5.29.17", CommonName = "2.5.4.3";

    /// <summary>The optional fields of a certificate.</summary>
    private static readonly Asn1Tag VersionTag = new(TagClass.ContextSpecific, 0), ExtensionsTag = new(TagClass.ContextSpecific, 3);

    /// <summary>The types of a name in subjectAltName (RFC 5280 4.2.1.6).</summary>
    private const int Email = 1, Dns = 2, Uri = 6;

    /// <summary>The most names of a certificate: more than anybody is known by.</summary>
    private const int MaxNames = 256;

    /// <summary>The names and the number of a certificate.</summary>
    /// <param name="chain">The certificate as DER, and behind it those that lead to the CA.</param>
    /// <returns>Null when the certificate cannot be read.</returns>
    public static TlsPeer? Read(IReadOnlyList<byte[]> chain)
    {
        try
        {
            Fields fields = ReadFields(chain[0]);
            List<string>[] names = [[], [], []];
            foreach (byte[] extension in fields.AlternativeNames)
            {
                ReadNames(extension, names);
            }

            PeerCertificate facts = PeerCertificate.Of(
                names[0], names[1], names[2], fields.AlternativeNames.Count > 0, ReadCommonName(fields.Subject),
                Convert.ToHexString(fields.Serial.Span));
            return new TlsPeer(facts, new CertificateKey(
                RevokedList.IssuerOf(fields.Issuer.Span), RevokedList.SerialOf(fields.Serial.Span)))
            {
                Chain = chain,
            };
        }
        catch (Exception failure) when (failure is CryptographicException or AsnContentException)
        {
            return null;
        }
    }

    /// <summary>
    /// Finds the fields by RFC 5280 4.1: version, serial number, algorithm, issuer, validity, subject, key, and optional ones. An object of
    /// OpenSSL for the certificate would cost as much as half a handshake.
    /// </summary>
    private static Fields ReadFields(byte[] der)
    {
        AsnReader whole = new(der, AsnEncodingRules.DER);
        AsnReader certificate = whole.ReadSequence().ReadSequence();
        whole.ThrowIfNotEmpty();
        if (certificate.PeekTag().HasSameClassAndValue(VersionTag))
        {
            certificate.ReadEncodedValue();
        }

        ReadOnlyMemory<byte> serial = certificate.ReadIntegerBytes();
        certificate.ReadSequence();
        ReadOnlyMemory<byte> issuer = certificate.ReadEncodedValue();
        certificate.ReadSequence();
        ReadOnlyMemory<byte> subject = certificate.ReadEncodedValue();
        certificate.ReadSequence();
        List<byte[]> alternatives = [];
        while (certificate.HasData)
        {
            if (!certificate.PeekTag().HasSameClassAndValue(ExtensionsTag))
            {
                certificate.ReadEncodedValue(); // a unique number of the issuer or of the subject
                continue;
            }

            for (AsnReader extensions = certificate.ReadSequence(ExtensionsTag).ReadSequence(); extensions.HasData;)
            {
                AsnReader extension = extensions.ReadSequence();
                bool isOfNames = extension.ReadObjectIdentifier() == AlternativeNames;
                if (extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean))
                {
                    extension.ReadBoolean();
                }

                byte[] value = extension.ReadOctetString();
                if (isOfNames)
                {
                    alternatives.Add(value);
                }
            }
        }

        return new Fields(serial, issuer, subject, alternatives);
    }

    /// <summary>Reads the URIs, the DNS names and the mail addresses.</summary>
    private static void ReadNames(byte[] extension, List<string>[] names)
    {
        AsnReader list = new AsnReader(extension, AsnEncodingRules.DER).ReadSequence();
        for (int i = 0; i < MaxNames && list.HasData; i++)
        {
            Asn1Tag tag = list.PeekTag();
            int kind = tag.TagClass != TagClass.ContextSpecific ? -1 : tag.TagValue;
            List<string>? into = kind switch { Uri => names[0], Dns => names[1], Email => names[2], _ => null };
            if (into is null)
            {
                list.ReadEncodedValue();
                continue;
            }

            string name = Encoding.Latin1.GetString(list.ReadOctetString(new Asn1Tag(TagClass.ContextSpecific, kind)));
            if (name.Length > 0 && name.All(char.IsAscii) && IsPlain(name))
            {
                into.Add(name);
            }
        }
    }

    private static string? ReadCommonName(ReadOnlyMemory<byte> subject)
    {
        string[] names =
        [
            .. new X500DistinguishedName(subject.Span).EnumerateRelativeDistinguishedNames()
                .Where(name => !name.HasMultipleElements && name.GetSingleElementType().Value == CommonName)
                .Select(name => name.GetSingleElementValue() ?? ""),
        ];
        return names is [{ Length: > 0 } only] && IsPlain(only) ? only : null; // several names: none of them is the name
    }

    private static bool IsPlain(string name) => !name.Any(char.IsControl);

    /// <summary>Fields of a certificate: encoded, but for the number and for what extensions with names hold.</summary>
    private sealed record Fields(
        ReadOnlyMemory<byte> Serial, ReadOnlyMemory<byte> Issuer, ReadOnlyMemory<byte> Subject, IReadOnlyList<byte[]> AlternativeNames);
}
