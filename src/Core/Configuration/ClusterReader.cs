using System.Text.Json;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Core.Configuration;

/// <summary>Reads <c>cluster</c> of a config.</summary>
internal sealed class ClusterReader(ProblemList problems, KeyReader keys)
{
    private const string At = "$.cluster";

    /// <summary>The section; null when there is none.</summary>
    public ClusterConfig? Read(JsonTree? section)
    {
        if (section is null || section.Kind != JsonValueKind.Object)
        {
            return null; // reported as no object already
        }

        Dictionary<string, object> values = keys.Read(section, At, ClusterKeys.Top);
        Dictionary<string, object> tls = values.TryGetValue("engine-tls", out object? item)
            ? keys.Read((JsonTree)item, $"{At}.engine-tls", ClusterKeys.Tls) : [];
        string? certificate = FullPath(section["engine-tls"]?["certificate"], tls, "certificate", $"{At}.engine-tls");
        string? key = FullPath(section["engine-tls"]?["key"], tls, "key", $"{At}.engine-tls");
        if (certificate is null != key is null)
        {
            problems.Add(section["engine-tls"]!.Offset, $"{At}.engine-tls", "'certificate' and 'key' belong together");
        }

        ClusterConfig config = new()
        {
            Engine = values.GetValueOrDefault("engine") as string[] ?? [],
            CredentialsFile = FullPath(section["credentials"], values, "credentials", At),
            EngineCaFile = FullPath(section["engine-tls"]?["ca"], tls, "ca", $"{At}.engine-tls"),
            EngineCertificateFile = certificate,
            EngineKeyFile = key,
            Name = values.GetValueOrDefault("name") as string,
            Labels = values.GetValueOrDefault("labels") as IReadOnlyDictionary<string, string> ?? new Dictionary<string, string>(),
            Advertise = values.GetValueOrDefault("advertise") as string,
            Listen = values.GetValueOrDefault("listen") as string ?? ClusterConfig.DefaultListen,
            Forwards = values.GetValueOrDefault("forward") as bool? ?? true,
            MostCodeBytes = values.GetValueOrDefault("max-code") as long? ?? ClusterConfig.DefaultMostCodeBytes,
            IsInsecure = values.GetValueOrDefault("insecure") as bool? ?? false,
        };
        CheckEngine(section["engine"], config);
        if (section["listen"] is { Kind: JsonValueKind.String } listen
            && EndpointSyntax.Problem(listen.Text, takesUnix: false) is { } mistake)
        {
            problems.Add(listen.Offset, $"{At}.listen", mistake);
        }
        return config;
    }

    private void CheckEngine(JsonTree? engine, ClusterConfig config)
    {
        if (engine is null || engine.Kind is not (JsonValueKind.String or JsonValueKind.Array))
        {
            return;
        }

        foreach ((JsonTree item, string at) in KeyReader.Items(engine, $"{At}.engine"))
        {
            if (item.Kind == JsonValueKind.String && item.Text.Length > 0
                && (EngineAddress.Mistake(item.Text) ?? EngineAddress.Danger(item.Text, config)) is { } problem)
            {
                problems.Add(item.Offset, at, problem);
            }
        }
    }

    /// <summary>The path of a file, with systemd's folder of credentials in place of its name.</summary>
    private string? FullPath(JsonTree? place, Dictionary<string, object> values, string key, string at)
    {
        if (values.GetValueOrDefault(key) is not string path)
        {
            return null;
        }

        try
        {
            return Path.GetFullPath(CredentialPath.Expand(path, EnvironmentNames.Get(EnvironmentNames.CredentialsDirectory)));
        }
        catch (IOException missing)
        {
            problems.Add(place!.Offset, $"{at}.{key}", missing.Message);
            return path;
        }
    }
}
