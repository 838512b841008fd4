namespace Cocaine.Fast.Node.Control.Messages;

/// <summary>
/// <c>create</c>, which may wait for the first slave, and may be for this node alone; <c>replace</c>, which always waits and may be
/// forced. With the name of a pack of code, the path is the one within the pack.
/// </summary>
internal sealed record ManifestRequest(
    string Manifest, string Path, bool Force = false, bool Wait = false, bool Local = false, string? Code = null);
