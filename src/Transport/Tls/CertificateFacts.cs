using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Trust;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>A certificate of the node, for info and warnings.</summary>
/// <param name="File">Its file.</param>
/// <param name="Subject">The subject; may have any letters.</param>
/// <param name="SerialHex">The number.</param>
/// <param name="NotAfter">The end.</param>
internal sealed record CertificateFacts(string File, string Subject, string SerialHex, DateTimeOffset NotAfter)
{
    /// <summary>Reads the certificate; checks its time, and that nobody else has the key.</summary>
    /// <exception cref="TlsException">A file cannot be read, the time is over, or others can read the key.</exception>
    public static CertificateFacts Read(string certificateFile, string keyFile)
    {
        if (FileStatus.TryRead(keyFile, out FileStatus status) && ProblemOfKey(keyFile, in status) is { } problem)
        {
            throw new TlsException(TlsPart.Key, keyFile, $"{keyFile}: {problem}");
        }

        try
        {
            using X509Certificate2 certificate = X509Certificate2.CreateFromPem(System.IO.File.ReadAllText(certificateFile));
            DateTimeOffset begin = certificate.NotBefore, end = certificate.NotAfter;
            if (end < DateTimeOffset.UtcNow)
            {
                throw new TlsException(TlsPart.Certificate, certificateFile, $"{certificateFile}: ended on {Day(end)}");
            }

            if (begin > DateTimeOffset.UtcNow)
            {
                throw new TlsException(TlsPart.Certificate, certificateFile, $"{certificateFile}: begins on {Day(begin)}");
            }

            string serial = certificate.SerialNumber.TrimStart('0').ToLowerInvariant();
            return new CertificateFacts(certificateFile, certificate.Subject, serial, end.ToUniversalTime());
        }
        catch (Exception failure) when (failure is CryptographicException || (failure is IOException and not TlsException)
            || failure is UnauthorizedAccessException)
        {
            throw new TlsException(
                TlsPart.Certificate, certificateFile, $"{certificateFile}: no certificate that can be used: {failure.Message}");
        }
    }

    /// <summary>systemd keeps other users out of its folder, and gives the unit's user a right that shows as one of the group.</summary>
    private static string? ProblemOfKey(string keyFile, in FileStatus status) =>
        CredentialPath.IsWithin(keyFile, EnvironmentNames.Get(EnvironmentNames.CredentialsDirectory))
            ? SecretFile.ProblemOfPublic(in status) : SecretFile.Problem(in status);

    private static string Day(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
