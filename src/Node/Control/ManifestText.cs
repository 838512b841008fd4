namespace Cocaine.Fast.Node.Control;

/// <summary>A manifest as it was given: its text, and the file that it stands for.</summary>
/// <param name="Utf8">The text.</param>
/// <param name="FilePath">
/// Names it in messages; its folder is where relative paths start from, and without a <c>name</c> key the app has the file's name. The file
/// need not be there.
/// </param>
public sealed record ManifestText(ReadOnlyMemory<byte> Utf8, string FilePath);
