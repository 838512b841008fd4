using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Harness;

/// <summary>A CA of a test, and certificates of it.</summary>
internal sealed class TestCertificates
{
    private readonly TestFolder _folder;
    private readonly CertificateRevocationListBuilder _revoked = new();

    public TestCertificates(TestFolder folder, string name = "ca")
    {
        _folder = folder;
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=Test CA", key, HashAlgorithmName.SHA256); // the same name for every CA
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        Ca = Write(name, request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-100), DateTimeOffset.UtcNow.AddDays(100)), key);
        CaFile = Ca.CertificateFile;
    }

    public TestCertificate Ca { get; }

    public string CaFile { get; }

    /// <summary>Makes a certificate with the name as its common name, and as the name of its files.</summary>
    public TestCertificate Issue(string name, CertificateForm? form = null)
    {
        form ??= new CertificateForm();
        AsymmetricAlgorithm key = form.RsaBits > 0 ? RSA.Create(form.RsaBits) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = key is RSA rsa
            ? new CertificateRequest($"CN={name}", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest($"CN={name}", (ECDsa)key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(form.IsAuthority, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            form.IsAuthority ? X509KeyUsageFlags.KeyCertSign : X509KeyUsageFlags.DigitalSignature, true));
        if (form.IsAuthority)
        {
            request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        }

        AddUsage(request, form);
        AddNames(request, form);
        X509Certificate2 issuer = (form.SignedBy ?? Ca).Certificate;
        if (issuer.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Any())
        {
            request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(issuer, true, false)); // CAs have one name
        }

        X509SignatureGenerator signer = issuer.GetECDsaPrivateKey() is { } issuerKey
            ? X509SignatureGenerator.CreateForECDsa(issuerKey)
            : X509SignatureGenerator.CreateForRSA(issuer.GetRSAPrivateKey()!, RSASignaturePadding.Pkcs1);
        X509Certificate2 signed = request.Create(issuer.SubjectName, signer, DateTimeOffset.UtcNow.AddDays(form.BeginsInDays),
            DateTimeOffset.UtcNow.AddDays(form.EndsInDays), RandomNumberGenerator.GetBytes(8).Select((b, i) => i == 0 ? (byte)(b & 0x7f | 1) : b).ToArray());
        return Write(name, key is RSA own ? signed.CopyWithPrivateKey(own) : signed.CopyWithPrivateKey((ECDsa)key), key);
    }

    /// <summary>A certificate of this host, by its names and its loopback addresses.</summary>
    public TestCertificate IssueServer(string name = "server", int rsaBits = 0) =>
        Issue(name, new CertificateForm { Dns = ["localhost"], Addresses = ["127.0.0.1", "::1"], RsaBits = rsaBits });

    /// <summary>Revokes certificates, and writes the list of all that were revoked.</summary>
    public string Revoke(string file, double endsInDays, params TestCertificate[] certificates)
    {
        foreach (TestCertificate one in certificates)
        {
            _revoked.AddEntry(one.Certificate);
        }

        byte[] list = _revoked.Build(Ca.Certificate, DateTimeOffset.UtcNow.Ticks, DateTimeOffset.UtcNow.AddDays(endsInDays),
            HashAlgorithmName.SHA256, thisUpdate: DateTimeOffset.UtcNow.AddDays(Math.Min(-1, endsInDays - 1)));
        string path = _folder[file];
        File.WriteAllText(path + ".new", PemEncoding.WriteString("X509 CRL", list));
        File.Move(path + ".new", path, overwrite: true);
        return path;
    }

    /// <summary>The config of a node with a certificate of this CA, that takes its clients.</summary>
    public TlsConfig Config(TestCertificate server, string? crl = null) => new()
    {
        CertificateFile = server.CertificateFile,
        KeyFile = server.KeyFile,
        ClientCaFile = CaFile,
        CrlFile = crl,
    };

    private static void AddUsage(CertificateRequest request, CertificateForm form)
    {
        OidCollection usages = [];
        if (form.IsForServers)
        {
            usages.Add(new Oid("1.3.6.1.5.5.7.3.1"));
        }

        if (form.IsForClients)
        {
            usages.Add(new Oid("1.3.6.1.5.5.7.3.2"));
        }

        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(usages, false));
    }

    private static void AddNames(CertificateRequest request, CertificateForm form)
    {
        SubjectAlternativeNameBuilder names = new();
        Array.ForEach(form.Dns, names.AddDnsName);
        Array.ForEach(form.Uris, uri => names.AddUri(new Uri(uri)));
        Array.ForEach(form.Emails, names.AddEmailAddress);
        Array.ForEach(form.Addresses, address => names.AddIpAddress(System.Net.IPAddress.Parse(address)));
        if (form.Dns.Length + form.Uris.Length + form.Emails.Length + form.Addresses.Length > 0)
        {
            request.CertificateExtensions.Add(names.Build());
        }
    }

    private TestCertificate Write(string name, X509Certificate2 certificate, AsymmetricAlgorithm key)
    {
        string file = _folder.Write($"{name}.pem", certificate.ExportCertificatePem());
        string keyFile = _folder.Write($"{name}.key", key.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(keyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return new TestCertificate(certificate, file, keyFile);
    }
}
