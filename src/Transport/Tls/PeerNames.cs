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
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(chain[0]);
            List<string>[] names = [[], [], []];
            bool hasAlternatives = false;
            foreach (X509Extension extension in certificate.Extensions)
            {
                if (extension.Oid?.Value == AlternativeNames)
                {
                    hasAlternatives = true;
                    ReadNames(extension.RawData, names);
                }
            }

            PeerCertificate facts = PeerCertificate.Of(
                names[0], names[1], names[2], hasAlternatives, ReadCommonName(certificate), certificate.SerialNumber);
            return new TlsPeer(facts, new CertificateKey(
                RevokedList.IssuerOf(certificate.IssuerName.RawData), RevokedList.SerialOf(certificate.SerialNumberBytes.Span)))
            {
                Chain = chain,
            };
        }
        catch (Exception failure) when (failure is CryptographicException or AsnContentException)
        {
            return null;
        }
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

    private static string? ReadCommonName(X509Certificate2 certificate)
    {
        string[] names =
        [
            .. certificate.SubjectName.EnumerateRelativeDistinguishedNames()
                .Where(name => !name.HasMultipleElements && name.GetSingleElementType().Value == CommonName)
                .Select(name => name.GetSingleElementValue() ?? ""),
        ];
        return names is [{ Length: > 0 } only] && IsPlain(only) ? only : null; // several names: none of them is the name
    }

    private static bool IsPlain(string name) => !name.Any(char.IsControl);
}
