using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cocaine.Fast.Bench.Tls;

/// <summary>An authority for one run, and what it has signed, as PEM files of this user alone.</summary>
internal sealed class BenchCertificates : IDisposable
{
    private const string ServerUse = "1.3.6.1.5.5.7.3.1", ClientUse = "1.3.6.1.5.5.7.3.2";
    private static readonly TimeSpan Life = TimeSpan.FromDays(1);

    private readonly X509Certificate2 _authority;
    private byte _serial;

    public BenchCertificates(string folder)
    {
        Folder = folder;
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=bench", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        DateTimeOffset now = DateTimeOffset.UtcNow;
        _authority = request.CreateSelfSigned(now - Life, now + Life);
        File.WriteAllText(CaFile, _authority.ExportCertificatePem());
    }

    public string Folder { get; }

    /// <summary>The authority's own certificate.</summary>
    public string CaFile => Path.Combine(Folder, "ca.pem");

    /// <summary>A certificate of 127.0.0.1 with a P-256 key: NAME.pem and NAME.key.</summary>
    public void MakeEllipticServer(string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Sign(name, new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256), ServerUse, key);
    }

    /// <summary>A certificate of a client with a P-256 key: NAME.pem and NAME.key.</summary>
    public void MakeClient(string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Sign(name, new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256), ClientUse, key);
    }

    /// <summary>A certificate of 127.0.0.1 with an RSA key of 3,072 bits: NAME.pem and NAME.key.</summary>
    public void MakeRsaServer(string name)
    {
        using RSA key = RSA.Create(3072);
        Sign(name, new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), ServerUse, key);
    }

    /// <summary>The file of a certificate.</summary>
    public string CertificateFile(string name) => Path.Combine(Folder, name + ".pem");

    /// <summary>The file of its key.</summary>
    public string KeyFile(string name) => Path.Combine(Folder, name + ".key");

    public void Dispose() => _authority.Dispose();

    private void Sign(string name, CertificateRequest request, string use, AsymmetricAlgorithm key)
    {
        SubjectAlternativeNameBuilder names = new();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], false));
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using ECDsa own = _authority.GetECDsaPrivateKey()!;
        using X509Certificate2 signed = request.Create(
            _authority.SubjectName, X509SignatureGenerator.CreateForECDsa(own), now - (Life / 2), now + (Life / 2), [++_serial]);
        File.WriteAllText(CertificateFile(name), signed.ExportCertificatePem());
        using FileStream file = new(KeyFile(name), new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        file.Write(System.Text.Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
    }
}
