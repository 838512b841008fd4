namespace Cocaine.Fast.Core.Manifest;

/// <summary>The result of reading a manifest.</summary>
/// <param name="Manifest">The app; null when there is a problem that is more than a warning.</param>
/// <param name="Problems">All mistakes and warnings, in the order of the file.</param>
/// <param name="NameLine">Line of the app's name, from 1; 1 when the app's name comes from the file's name.</param>
/// <param name="NameColumn">Column of the app's name, from 1.</param>
public sealed record ManifestResult(AppManifest? Manifest, IReadOnlyList<ManifestProblem> Problems, int NameLine = 1, int NameColumn = 1);
