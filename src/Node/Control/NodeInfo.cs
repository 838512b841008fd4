using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Node.Control;

/// <summary>The release and protocol of a node or of a client of its control service.</summary>
/// <param name="Protocol">The control protocol that the node or the client speaks.</param>
/// <param name="Version">The release of the program; null when the node is too old to report it.</param>
public sealed record NodeVersion(int Protocol, string? Version)
{
    /// <summary>The version of this program.</summary>
    public static NodeVersion Own { get; } = new(ControlMessages.Protocol, ProductVersion.Text);
}

/// <summary>The node's own state as one JSON object: the answer to <c>info</c> without an app.</summary>
internal static class NodeInfo
{
    public static string Text(CocaineNode node)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteNumber("pid", Environment.ProcessId);
            json.WriteString("version", ProductVersion.Text);
            json.WriteNumber("protocol", ControlMessages.Protocol);
            json.WriteString("since", node.Since);
            json.WriteNumber("apps", node.Apps.Count);
            json.WriteNumber("loops", node.Loops.Count);
            json.WriteStartArray("locator");
            foreach (string endpoint in node.LocatorEndpoints)
            {
                json.WriteStringValue(endpoint);
            }

            json.WriteEndArray();
            WriteSecurity(json, node.Doors);
            json.WriteNumber("rss-bytes", Environment.WorkingSet);
            json.WriteNumber("cpu-s", Environment.CpuUsage.TotalTime.TotalSeconds);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void WriteSecurity(Utf8JsonWriter json, NodeDoors doors)
    {
        SecurityRules rules = doors.Keeper.Rules;
        json.WriteStartObject("security");
        json.WriteBoolean("rules-decide", rules.IsOn);
        json.WriteNumber("generation", rules.Generation);
        json.WriteNumber("denied", doors.Keeper.Audit.Denied);
        if (doors.Certificates.Tls.Doors is { } tls)
        {
            WriteTls(json, tls);
        }

        json.WriteEndObject();
    }

    private static void WriteTls(Utf8JsonWriter json, TlsDoors tls)
    {
        json.WriteNumber("handshakes", tls.Handshakes);
        json.WriteNumber("failed", tls.Failed);
        json.WriteNumber("in-handshake", tls.Gate.Open);
        json.WriteNumber("sessions", tls.Sessions);
        json.WriteStartArray("certificates");
        foreach (CertificateFacts certificate in tls.Certificates)
        {
            json.WriteStartObject();
            json.WriteString("file", certificate.File);
            json.WriteString("subject", certificate.Subject);
            json.WriteString("serial", certificate.SerialHex);
            json.WriteString("not-after", certificate.NotAfter);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
