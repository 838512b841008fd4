namespace Cocaine.Fast.Cluster.Engine;

/// <summary>A value of the engine.</summary>
/// <param name="Key">The key, as the caller wrote it.</param>
/// <param name="Value">The bytes; null when there is no value.</param>
/// <param name="Revision">The revision, which means something in its session only; 0 when there is no value.</param>
internal readonly record struct EngineEntry(string Key, byte[]? Value, ulong Revision);
