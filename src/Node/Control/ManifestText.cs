namespace Cocaine.Fast.Node.Control;

/// <summary>A manifest as its user gave it: its text, and the path of its file.</summary>
/// <param name="Utf8">The text.</param>
/// <param name="FilePath">
/// Names the manifest in messages. Relative paths start from its folder, and without a <c>name</c> key the app has the file's name. The
/// file need not exist.
/// </param>
public sealed record ManifestText(ReadOnlyMemory<byte> Utf8, string FilePath)
{
    /// <summary>The pack that the file path leads into, for an app of a cluster; null = the code is in the folders of the nodes.</summary>
    internal PackedCode? Code { get; init; }
}
