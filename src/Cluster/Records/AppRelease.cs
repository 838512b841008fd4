namespace Cocaine.Fast.Cluster.Records;

/// <summary>One manifest of an app, with its code.</summary>
/// <param name="Made">The generation in which it was set.</param>
/// <param name="Version">Its version.</param>
/// <param name="Manifest">Its text.</param>
/// <param name="Path">The path of its file at the node where it was set.</param>
/// <param name="Code">SHA-256 of the packed code; null without.</param>
internal sealed record AppRelease(long Made, int Version, string Manifest, string Path, string? Code);
