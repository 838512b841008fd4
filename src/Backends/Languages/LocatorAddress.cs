using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Backends.Languages;

/// <summary>The address of the node's locator, for slaves that call other apps.</summary>
/// <param name="Endpoint">The endpoint as the client library takes it; null = the node has no locator.</param>
internal readonly record struct LocatorAddress(string? Endpoint)
{
    private const string Plain = "tcp://", Secured = "tls://", Default = "127.0.0.1:10053";

    /// <summary>
    /// The words after <c>--locator</c>: <c>HOST:PORT</c>, or the path of a Unix socket. Workers of Cocaine always expect one.
    /// </summary>
    public string Words => Endpoint is null ? Default : Endpoint[Plain.Length..];

    /// <summary>The address of a locator for slaves on the same host.</summary>
    /// <param name="bound">The endpoint that the locator listens on; null = the node has no locator.</param>
    /// <param name="door">The locator's TLS, which a Unix socket has not.</param>
    public static LocatorAddress Of(string? bound, DoorTls door)
    {
        if (bound is null || !bound.StartsWith(Plain, StringComparison.Ordinal))
        {
            return new LocatorAddress(bound);
        }

        string place = bound[Plain.Length..];
        foreach (string any in (ReadOnlySpan<string>)["[::]:", "0.0.0.0:"])
        {
            place = place.StartsWith(any, StringComparison.Ordinal) ? $"127.0.0.1:{place[any.Length..]}" : place;
        }

        return new LocatorAddress((door == DoorTls.Off ? Plain : Secured) + place);
    }
}
