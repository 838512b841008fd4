using Cocaine.Fast.Cluster.Code;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Control;

/// <summary>Packs the code of an app, and sends it to the cluster of a node.</summary>
internal static class CodeSending
{
    /// <summary>Sends a folder; code that is in the cluster already is not sent again.</summary>
    /// <param name="manifest">The manifest, with its path on this machine.</param>
    /// <param name="folder">The folder with the code; null = that of the manifest.</param>
    /// <param name="node">A node of the cluster.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The manifest with its place in the code: relative paths start there on each node.</returns>
    /// <exception cref="NodeException">The folder cannot be packed.</exception>
    public static async Task<ManifestText> SendAsync(
        ManifestText manifest, string? folder, NodeControlClient node, CancellationToken cancellation)
    {
        string from = Path.GetFullPath(folder ?? Path.GetDirectoryName(manifest.FilePath)!);
        string path = Path.GetRelativePath(from, manifest.FilePath);
        FileStreamOptions options = new()
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            Options = FileOptions.DeleteOnClose,
        };
        try
        {
            using FileStream archive = new(Path.Combine(Path.GetTempPath(), $"cocaine-fast-{Guid.NewGuid():N}.tgz"), options);
            string name = CodePack.Write(from, archive);
            await node.SendCodeAsync(name, archive, cancellation);
            return manifest with { Code = new PackedCode(name, CodeFolder.IsWithin(path) ? path : Path.GetFileName(manifest.FilePath)) };
        }
        catch (CodeException failure)
        {
            throw new NodeException(failure.Message, failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new NodeException($"the code cannot be packed in {Path.GetTempPath()}: {failure.Message}", failure);
        }
    }
}
