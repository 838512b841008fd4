using System.Security.Cryptography.X509Certificates;

namespace Cocaine.Fast.Harness;

/// <summary>A certificate of a test, with its key, as files and as an object.</summary>
internal sealed record TestCertificate(X509Certificate2 Certificate, string CertificateFile, string KeyFile);

/// <summary>The way in which <see cref="TestCertificates"/> makes a certificate; the default is a good one.</summary>
internal sealed record CertificateForm
{
    public string[] Dns { get; init; } = [];

    public string[] Uris { get; init; } = [];

    public string[] Emails { get; init; } = [];

    public string[] Addresses { get; init; } = [];

    /// <summary>Days from now.</summary>
    public double BeginsInDays { get; init; } = -1;

    /// <summary>Days from now.</summary>
    public double EndsInDays { get; init; } = 30;

    public bool IsForServers { get; init; } = true;

    public bool IsForClients { get; init; } = true;

    /// <summary>It may sign certificates itself: an authority below the CA.</summary>
    public bool IsAuthority { get; init; }

    /// <summary>The bits of an RSA key; 0 for a key of the curve P-256.</summary>
    public int RsaBits { get; init; }

    /// <summary>Signed by this one; null for the CA.</summary>
    public TestCertificate? SignedBy { get; init; }
}
