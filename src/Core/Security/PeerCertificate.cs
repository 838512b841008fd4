namespace Cocaine.Fast.Core.Security;

/// <summary>
/// The facts about a client's certificate that rights need. The certificate was verified before: this type judges nothing. Immutable.
/// </summary>
public sealed class PeerCertificate
{
    private PeerCertificate(IReadOnlyList<string> names, string serialHex)
    {
        Names = names;
        SerialHex = serialHex;
    }

    /// <summary>
    /// The names with their prefixes: <c>URI:</c>, <c>DNS:</c> and <c>EMAIL:</c> of the subject alternative names, or one <c>CN:</c>.
    /// </summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The serial number as lower-case hexadecimal digits without leading zeros.</summary>
    public string SerialHex { get; }

    /// <summary>Makes the facts of a certificate.</summary>
    /// <param name="uris">URIs among the subject alternative names.</param>
    /// <param name="dnsNames">DNS names among them.</param>
    /// <param name="emails">E-mail addresses among them.</param>
    /// <param name="hasAlternativeNames">The certificate has subject alternative names, of these or other kinds.</param>
    /// <param name="commonName">The subject's common name; counts only for a certificate without alternative names.</param>
    /// <param name="serialHex">The serial number in hexadecimal, in any case of its letters.</param>
    public static PeerCertificate Of(
        IEnumerable<string> uris, IEnumerable<string> dnsNames, IEnumerable<string> emails, bool hasAlternativeNames, string? commonName,
        string serialHex)
    {
        ArgumentNullException.ThrowIfNull(serialHex);
        List<string> names = [.. uris.Select(uri => "URI:" + uri), .. dnsNames.Select(name => "DNS:" + name)];
        names.AddRange(emails.Select(address => "EMAIL:" + address));
        if (!hasAlternativeNames && names.Count == 0 && !string.IsNullOrEmpty(commonName))
        {
            names.Add("CN:" + commonName);
        }

        string serial = serialHex.TrimStart('0').ToLowerInvariant();
        return new PeerCertificate(names, serial.Length == 0 ? "0" : serial);
    }
}
