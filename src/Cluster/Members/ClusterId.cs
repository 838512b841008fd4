namespace Cocaine.Fast.Cluster.Members;

/// <summary>The identity of a cluster, in the engine and on the disk of each node: an engine of another cluster is refused by it.</summary>
/// <param name="Uuid">The identity.</param>
/// <param name="Secret">The secret by which nodes know each other on links between them; base64.</param>
/// <param name="Format">The format of everything in the engine; a node that does not know it stays out.</param>
internal sealed record ClusterId(string Uuid, string Secret, int Format)
{
    /// <summary>The format of this program.</summary>
    public const int KnownFormat = 1;
}
