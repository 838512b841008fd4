namespace Cocaine.Fast.Worker;

/// <summary>
/// A chunk of an answer is longer than a message may be. Written in pieces it may be as long as it likes. An event that lets the exception
/// pass ends its answer with the error [1000, 413].
/// </summary>
/// <param name="sizeBytes">The chunk's size.</param>
public sealed class ChunkTooLongException(int sizeBytes)
    : ArgumentException($"a chunk has at most {Limits.ChunkBytes} bytes, and this one has {sizeBytes}: write it in pieces")
{
    /// <summary>The chunk's size.</summary>
    public int SizeBytes { get; } = sizeBytes;

    /// <summary>Checks a chunk where it is written.</summary>
    internal static void ThrowIf(int sizeBytes)
    {
        if (sizeBytes > Limits.ChunkBytes)
        {
            throw new ChunkTooLongException(sizeBytes);
        }
    }
}
