using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Transport.Tests.Tls;

/// <summary>A certificate's names, beside what another reader of certificates finds in it; and bytes that are no certificate.</summary>
public sealed class PeerNamesTests
{
    private const string AlternativeNames = "2.5.29.17";

    [Theory]
    [InlineData("CN=one", "", false, "01", "CN:one")]
    [InlineData("CN=one, CN=two", "", false, "7f", "")]
    [InlineData("O=shop", "", false, "00c3ff", "")]
    [InlineData("CN=Köln", "", false, "10", "CN:Köln")]
    [InlineData("CN=one", "uri dns mail", false, "00ff01", "URI:spiffe://shop/a DNS:a.shop EMAIL:a@shop")]
    [InlineData("CN=one", "uri dns mail", true, "02", "URI:spiffe://shop/a DNS:a.shop EMAIL:a@shop")]
    [InlineData("CN=one", "address", true, "03", "")] // a name of its own kind, by which nobody is known
    [InlineData("", "dns", true, "04", "DNS:a.shop")]
    public void They_are_those_that_another_reader_finds(string subject, string alternatives, bool isCritical, string serial, string expected)
    {
        byte[] der = Make(subject, alternatives, isCritical, Convert.FromHexString(serial));
        TlsPeer peer = PeerNames.Read([der])!;
        using X509Certificate2 other = X509CertificateLoader.LoadCertificate(der);
        Assert.Equal(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries), peer.Certificate.Names);
        Assert.Equal(other.SerialNumber.TrimStart('0').ToLowerInvariant(), peer.Certificate.SerialHex);
        Assert.Equal(
            new CertificateKey(RevokedList.IssuerOf(other.IssuerName.RawData), RevokedList.SerialOf(other.SerialNumberBytes.Span)), peer.Key);
    }

    [Fact]
    public void Bytes_that_are_no_certificate_have_no_names_and_do_no_harm()
    {
        byte[] whole = Make("CN=one", "uri dns mail address", true, [0, 0x99, 5]);
        Random random = new(11);
        int read = 0;
        for (int i = 0; i < 20_000; i++)
        {
            byte[] der = [.. whole.AsSpan(0, random.Next(4) == 0 ? random.Next(whole.Length) : whole.Length)];
            for (int change = random.Next(4); change >= 0 && der.Length > 0; change--)
            {
                der[random.Next(der.Length)] = (byte)random.Next(256);
            }

            read += PeerNames.Read([der]) is null ? 0 : 1;
        }

        Assert.InRange(read, 1, 15_000); // a change in the key or in the signature is nothing to this reader
        Assert.Null(PeerNames.Read([[]]));
        Assert.Null(PeerNames.Read([[.. whole, 0]]));
    }

    private static byte[] Make(string subject, string alternatives, bool isCritical, byte[] serial)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        SubjectAlternativeNameBuilder names = new();
        foreach (string kind in alternatives.Split(' '))
        {
            switch (kind)
            {
                case "uri":
                    names.AddUri(new Uri("spiffe://shop/a"));
                    break;
                case "dns":
                    names.AddDnsName("a.shop");
                    break;
                case "mail":
                    names.AddEmailAddress("a@shop");
                    break;
                case "address":
                    names.AddIpAddress(System.Net.IPAddress.Loopback);
                    break;
            }
        }

        if (alternatives.Length > 0)
        {
            request.CertificateExtensions.Add(new X509Extension(AlternativeNames, names.Build().RawData, isCritical));
        }

        using X509Certificate2 made = request.Create(
            new X500DistinguishedName("CN=issuer"), X509SignatureGenerator.CreateForECDsa(key), DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1), serial);
        return made.RawData;
    }
}
