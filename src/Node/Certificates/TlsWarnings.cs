using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Node.Certificates;

/// <summary>Facts about good files of TLS that soon, or for some clients, are mistakes. One line each.</summary>
internal static class TlsWarnings
{
    private const string At = "$.security.tls";

    /// <summary>The time in which a new certificate is to be made: that of the first warning of a node.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    /// <summary>The warnings about the files, which have no mistake.</summary>
    /// <param name="config">The files.</param>
    /// <param name="now">The present time.</param>
    public static IEnumerable<string> Of(TlsConfig config, DateTimeOffset now)
    {
        using TlsContexts files = TlsContexts.Read(config);
        foreach (CertificateFacts one in files.Certificates.Where(one => one.NotAfter - now < Soon))
        {
            TlsName? name = config.Names.FirstOrDefault(name => name.CertificateFile == one.File);
            string at = name is null ? At : JsonPath.Member(At + ".names", name.Name);
            yield return $"{at}.certificate: {one.File} ends on {Day(one.NotAfter)}: put a new one in its place";
        }

        if (files.Revoked.EndsAt is { } end && end - now < TimeSpan.FromDays(1))
        {
            yield return end < now
                ? $"{At}.crl: {config.CrlFile} ended on {Day(end)}: every client of a door with 'mutual' is refused until it is renewed"
                : $"{At}.crl: {config.CrlFile} ends on {Day(end)}: after that no client of a door with 'mutual' gets in";
        }

        foreach (string problem in config.ClientCaFile is { } authorities ? OfAuthorities(authorities, now) : [])
        {
            yield return $"{At}.client-ca: {config.ClientCaFile}: {problem}";
        }
    }

    private static IEnumerable<string> OfAuthorities(string file, DateTimeOffset now)
    {
        X509Certificate2Collection all = [];
        all.ImportFromPemFile(file);
        foreach (X509Certificate2 one in all)
        {
            using (one)
            {
                if (!one.Extensions.OfType<X509BasicConstraintsExtension>().Any(basic => basic.CertificateAuthority))
                {
                    yield return $"{one.Subject} is no authority: it stands for no client";
                }

                if (one.NotAfter - now < Soon)
                {
                    yield return one.NotAfter < now ? $"{one.Subject} ended on {Day(one.NotAfter)}: its clients are refused"
                        : $"{one.Subject} ends on {Day(one.NotAfter)}: after that its clients are refused";
                }

                using RSA? key = one.GetRSAPublicKey();
                if (key is { KeySize: < 2048 })
                {
                    yield return $"{one.Subject} has an RSA key of {key.KeySize} bits: its clients are refused, since 2048 are needed";
                }
            }
        }
    }

    private static string Day(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
