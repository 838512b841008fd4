using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Trust;

namespace Cocaine.Fast.Host.Commands.Keys;

/// <summary>
/// A certificate authority in a folder: <c>ca.pem</c> and its key <c>ca.key</c>. The authority signs certificates of nodes and clients, and
/// the list of revoked ones.
/// </summary>
internal sealed class Authority : IDisposable
{
    /// <summary>The name of the authority's own files.</summary>
    public const string Name = "ca";

    /// <summary>Certificates are valid from a moment before now, for hosts with a clock that is behind.</summary>
    private static readonly TimeSpan ClockSlack = TimeSpan.FromMinutes(5);

    private readonly X509Certificate2 _certificate; // with its key

    private Authority(X509Certificate2 certificate) => _certificate = certificate;

    /// <summary>The end of the authority's own certificate.</summary>
    public DateTimeOffset End => new(_certificate.NotAfter.ToUniversalTime());

    /// <summary>The identifier of the authority's key; certificates name their authority by it.</summary>
    private ReadOnlySpan<byte> KeyIdentifier =>
        _certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single().SubjectKeyIdentifierBytes.Span;

    /// <summary>Makes an authority and writes its files.</summary>
    /// <returns>The end of its certificate.</returns>
    /// <exception cref="FormatException">An authority is in the folder already.</exception>
    /// <exception cref="IOException">The folder or the files cannot be made, or others can change the folder.</exception>
    public static DateTimeOffset Make(string folder, string title, int days, bool mayReplace)
    {
        PrivateFolder.Make(folder);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = Request(title, key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(
            certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using X509Certificate2 certificate = request.CreateSelfSigned(now - ClockSlack, now.AddDays(days));
        WriteFiles(folder, Name, certificate, key, mayReplace);
        return now.AddDays(days);
    }

    /// <summary>Opens the authority of a folder.</summary>
    /// <exception cref="FormatException">The files are wrong: the text says which, and the remedy.</exception>
    /// <exception cref="IOException">The files cannot be read.</exception>
    public static Authority Open(string folder)
    {
        string file = Path.Combine(folder, Name + ".pem"), keyFile = Path.Combine(folder, Name + ".key");
        if (!File.Exists(file))
        {
            throw new FormatException($"{file} is not there: 'cocaine-fast keys ca {folder}' makes an authority");
        }

        if (FileStatus.TryRead(keyFile, out FileStatus status) && SecretFile.Problem(in status) is { } problem)
        {
            throw new FormatException($"{keyFile}: {problem}");
        }

        try
        {
            X509Certificate2 certificate = X509Certificate2.CreateFromPem(File.ReadAllText(file), File.ReadAllText(keyFile));
            Authority authority = new(certificate);
            if (!IsAuthority(certificate))
            {
                authority.Dispose();
                throw new FormatException($"{file} is no certificate of an authority that 'cocaine-fast keys ca' made");
            }

            return authority;
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            throw new FormatException($"{file} and {keyFile} are damaged, or do not belong together: {failure.Message}", failure);
        }
    }

    /// <summary>Makes a certificate with a key of its own, and writes both.</summary>
    /// <param name="folder">The folder for NAME.pem and NAME.key.</param>
    /// <param name="name">The name of the files, and the common name.</param>
    /// <param name="names">The names that count.</param>
    /// <param name="usage">The object identifier of the use.</param>
    /// <param name="days">The life of the certificate; never longer than the authority's.</param>
    /// <param name="mayReplace">Files that are there already are replaced.</param>
    /// <returns>The certificate, for its serial number and its end.</returns>
    /// <exception cref="FormatException">A file is there already, or the authority has ended.</exception>
    /// <exception cref="IOException">The files cannot be written.</exception>
    public X509Certificate2 Issue(string folder, string name, SubjectAlternativeNameBuilder names, string usage, int days, bool mayReplace)
    {
        DateTimeOffset now = DateTimeOffset.UtcNow, end = now.AddDays(days), begin = now - ClockSlack;
        if (End <= now)
        {
            throw new FormatException($"the authority in {folder} has ended on {KeyNames.Moment(End)}: make another one");
        }

        DateTimeOffset authorityBegin = new(_certificate.NotBefore.ToUniversalTime());
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = Request(name, key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(
            certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(
            _certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        X509Certificate2 certificate = request.Create(
            _certificate, begin < authorityBegin ? authorityBegin : begin, end < End ? end : End, SerialNumber());
        WriteFiles(folder, name, certificate, key, mayReplace);
        return certificate;
    }

    /// <summary>True for a certificate that this authority has signed, as the certificate itself says.</summary>
    public bool HasIssued(X509Certificate2 certificate) =>
        certificate.IssuerName.RawData.AsSpan().SequenceEqual(_certificate.SubjectName.RawData)
        && certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier is { } identifier
        && identifier.Span.SequenceEqual(KeyIdentifier);

    /// <summary>Signs a list of revoked certificates; the result is PEM.</summary>
    public string Sign(CertificateRevocationListBuilder list, BigInteger number, DateTimeOffset end) => PemEncoding.WriteString(
        "X509 CRL", list.Build(_certificate, number, end, HashAlgorithmName.SHA256, thisUpdate: DateTimeOffset.UtcNow - ClockSlack)) + "\n";

    /// <summary>Forgets the key.</summary>
    public void Dispose() => _certificate.Dispose();

    private static bool IsAuthority(X509Certificate2 certificate)
    {
        using ECDsa? key = certificate.GetECDsaPrivateKey();
        return key is not null && certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Any()
            && certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(one => one.CertificateAuthority);
    }

    private static CertificateRequest Request(string title, ECDsa key)
    {
        X500DistinguishedNameBuilder subject = new();
        subject.AddCommonName(title);
        CertificateRequest request = new(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request;
    }

    /// <summary>A random number of 127 bits: nobody can foresee it, and it never comes twice.</summary>
    private static byte[] SerialNumber()
    {
        byte[] serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40); // positive, and without a zero byte at its front
        return serial;
    }

    private static void WriteFiles(string folder, string name, X509Certificate2 certificate, ECDsa key, bool mayReplace) => NewFiles.Write(
        mayReplace,
        new NewFile(Path.Combine(folder, name + ".key"), key.ExportPkcs8PrivateKeyPem() + "\n", IsSecret: true),
        new NewFile(Path.Combine(folder, name + ".pem"), certificate.ExportCertificatePem() + "\n"));
}
