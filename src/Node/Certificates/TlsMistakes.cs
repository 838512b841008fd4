using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Node.Certificates;

/// <summary>Mistakes in the files of <c>security.tls</c>, with their places in the config.</summary>
internal static class TlsMistakes
{
    /// <summary>The mistake in the files of a config; null when they can be used here.</summary>
    /// <param name="config">The config.</param>
    /// <param name="isLack">The files may be good: this machine has no libssl.</param>
    public static string? Find(TlsConfig config, out bool isLack)
    {
        try
        {
            TlsContexts.Read(config).Dispose();
            isLack = false;
            return null;
        }
        catch (TlsException mistake)
        {
            isLack = mistake.Part == TlsPart.Library;
            return Describe(config, mistake);
        }
    }

    /// <summary>The mistake with its place.</summary>
    public static string Describe(TlsConfig config, TlsException mistake)
    {
        string path = PathOf(config, mistake);
        return config.Places.TryGetValue(path, out TlsPlace at)
            ? $"{new ManifestProblem(at.File, at.Line, at.Column, path, mistake.Message)}" : $"{path}: {mistake.Message}";
    }

    private static string PathOf(TlsConfig config, TlsException mistake)
    {
        const string at = "$.security.tls";
        string? key = mistake.Part switch
        {
            TlsPart.Certificate => "certificate",
            TlsPart.Key => "key",
            TlsPart.Ca => "client-ca",
            TlsPart.Crl => "crl",
            _ => null,
        };
        if (key is null || mistake.File is not { } file || file == config.CertificateFile || file == config.KeyFile)
        {
            return key is null ? at : $"{at}.{key}";
        }

        TlsName? name = config.Names.FirstOrDefault(name => file == name.CertificateFile || file == name.KeyFile);
        return name is null ? $"{at}.{key}" : $"{JsonPath.Member(at + ".names", name.Name)}.{key}";
    }
}
