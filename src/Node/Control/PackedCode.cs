namespace Cocaine.Fast.Node.Control;

/// <summary>The place of a manifest in packed code.</summary>
/// <param name="Name">The name of the pack: the SHA-256 of its archive, in hexadecimal.</param>
/// <param name="Path">The path of the manifest within the pack; the file need not exist.</param>
internal sealed record PackedCode(string Name, string Path);
