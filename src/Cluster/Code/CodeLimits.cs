namespace Cocaine.Fast.Cluster.Code;

/// <summary>The bounds of packed code, each with its reason.</summary>
internal static class CodeLimits
{
    /// <summary>The most files, folders and links of a pack: a large tree of packages; more are a mistake or an attack.</summary>
    public const int MostEntries = 65_536;

    /// <summary>How often the bytes of the largest pack fit into its files: text packs four to eight times.</summary>
    public const int MostGrowth = 8;

    /// <summary>The longest path within a pack, characters: the folder of the code comes before it, and Linux takes 4,096 bytes.</summary>
    public const int LongestPath = 1024;

    /// <summary>The bytes of a pack that go to a node in one request: base64 of them fits well into a request.</summary>
    public const int PortionBytes = 1 << 20;
}
