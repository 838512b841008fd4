using System.Text.Json;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Configuration;

/// <summary>Reads <c>web</c> of a config.</summary>
internal sealed class WebReader(ProblemList problems, KeyReader keys, EndpointChecks endpoints)
{
    private const string At = "$.web";

    /// <summary>The section; null when there is none, or its endpoint is missing.</summary>
    public WebConfig? Read(JsonTree? section)
    {
        if (section is null || section.Kind != JsonValueKind.Object)
        {
            return null; // reported as no object already
        }

        Dictionary<string, object> values = keys.Read(section, At, WebKeys.Top);
        if (section["endpoint"] is not { Kind: JsonValueKind.String } endpoint)
        {
            return null; // reported as missing already
        }

        endpoints.Check(endpoint, $"{At}.endpoint", At, zeroMq: null, binds: true);
        if (EndpointSyntax.Problem(endpoint.Text, takesUnix: true) is null && !EndpointSyntax.IsOnThisHost(endpoint.Text))
        {
            string port = endpoint.Text[(endpoint.Text.LastIndexOf(':') + 1)..];
            problems.Add(
                endpoint.Offset, $"{At}.endpoint",
                $"'{JsonPath.Shown(endpoint.Text)}': other hosts can reach it, and this door has no TLS: expected an address that only "
                + $"this host has, such as tcp://lo:{port}, or a Unix socket; let a proxy with TLS or a tunnel lead there");
        }

        return new WebConfig(
            endpoint.Text, values.GetValueOrDefault("metrics") as bool? ?? true, values.GetValueOrDefault("token-file") as string);
    }
}
