using System.Text.Json;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Core.Configuration;

/// <summary>Reads <c>security.tls</c> of a config. The files themselves are looked at when the node reads them.</summary>
internal sealed class TlsReader(ProblemList problems, KeyReader keys, string filePath)
{
    public const string At = "$.security.tls";

    private const int MaxNameLength = 253;

    private readonly Dictionary<string, TlsPlace> _places = [];

    /// <summary>The section; null when there is none, or when it has a mistake.</summary>
    public TlsConfig? Read(JsonTree? section)
    {
        if (section is null || section.Kind != JsonValueKind.Object)
        {
            return null; // reported as no object already
        }

        Dictionary<string, object> values = keys.Read(section, At, SecurityKeys.Tls);
        Remember(section, At, SecurityKeys.Tls);
        if (section["crl"] is { } crl && section["client-ca"] is null)
        {
            problems.Add(crl.Offset, At + ".crl", "these are the revoked certificates of 'client-ca', which is not there");
        }

        List<TlsName> names = Names(values.GetValueOrDefault("names") as JsonTree);
        return values.GetValueOrDefault("certificate") is string certificate && values.GetValueOrDefault("key") is string key
            ? new TlsConfig
            {
                CertificateFile = FullPath(section, At, "certificate", certificate),
                KeyFile = FullPath(section, At, "key", key),
                ClientCaFile = FullPath(section, values, "client-ca"),
                CrlFile = FullPath(section, values, "crl"),
                Names = names,
                AllowsTls12 = values.GetValueOrDefault("minimum-version") as string == "1.2",
                HandshakeTimeoutMs = values.GetValueOrDefault("handshake-timeout") as long? ?? TlsConfig.UsualHandshakeTimeoutMs,
                Places = _places,
            }
            : null;
    }

    private string? FullPath(JsonTree section, Dictionary<string, object> values, string key) =>
        values.GetValueOrDefault(key) is string path ? FullPath(section, At, key, path) : null;

    /// <summary>The path of a file, with systemd's folder of credentials in place of its name.</summary>
    private string FullPath(JsonTree section, string at, string key, string path)
    {
        try
        {
            return Path.GetFullPath(CredentialPath.Expand(path, EnvironmentNames.Get(EnvironmentNames.CredentialsDirectory)));
        }
        catch (IOException missing)
        {
            problems.Add(section[key]!.Offset, $"{at}.{key}", missing.Message);
            return path;
        }
    }

    private List<TlsName> Names(JsonTree? section)
    {
        List<TlsName> names = [];
        foreach (JsonMember member in section?.Members ?? [])
        {
            string at = JsonPath.Member(At + ".names", member.Name);
            if (!IsHostName(member.Name))
            {
                problems.Add(member.Offset, at, "expected the name of a host: letters, digits, '-' and '.'");
            }
            else if (names.Exists(known => string.Equals(known.Name, member.Name, StringComparison.OrdinalIgnoreCase)))
            {
                problems.Add(member.Offset, at, "the name stands here twice");
            }
            else if (member.Value.Kind != JsonValueKind.Object)
            {
                problems.Wrong(member.Value, at, "an object");
            }
            else
            {
                Dictionary<string, object> values = keys.Read(member.Value, at, SecurityKeys.TlsName);
                Remember(member.Value, at, SecurityKeys.TlsName);
                if (values.GetValueOrDefault("certificate") is string certificate && values.GetValueOrDefault("key") is string key)
                {
                    string certificateFile = FullPath(member.Value, at, "certificate", certificate);
                    names.Add(new TlsName(member.Name, certificateFile, FullPath(member.Value, at, "key", key)));
                }
            }
        }

        return names;
    }

    private void Remember(JsonTree section, string at, IReadOnlyList<KeySpec> specs)
    {
        foreach (KeySpec spec in specs)
        {
            if (section[spec.Name] is { } value)
            {
                (int line, int column) = problems.Position(value.Offset);
                _places[$"{at}.{spec.Name}"] = new TlsPlace(filePath, line, column);
            }
        }
    }

    private static bool IsHostName(string text) => text.Length is > 0 and <= MaxNameLength
        && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-');
}
