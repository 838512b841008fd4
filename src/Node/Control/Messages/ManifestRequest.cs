namespace Cocaine.Fast.Node.Control.Messages;

/// <summary>
/// <c>create</c>, which may wait for the first slave, and may be for this node alone; <c>replace</c>, which always waits and may be forced.
/// </summary>
internal sealed record ManifestRequest(string Manifest, string Path, bool Force = false, bool Wait = false, bool Local = false);
