using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Cocaine.Fast.Node.Locator;

/// <summary>
/// The order in which a locator names nodes. Clients of all frameworks keep the first node that they reach, so the order is what spreads
/// them: by chance, in proportion to the slots of the nodes.
/// </summary>
internal static class NodeOrder
{
    /// <summary>The most nodes in an answer: a client that finds eight of them dead asks again.</summary>
    public const int MostNodes = 8;

    /// <summary>
    /// The first nodes of a random order. A node with twice the slots is first twice as often: the least of exponential times, each with
    /// the weight as its rate, is of a node in proportion to its weight.
    /// </summary>
    /// <param name="nodes">The nodes, by their uuids, with their slots.</param>
    /// <param name="seed">Clients with one seed get one order, as long as the nodes stay; null = chance.</param>
    /// <param name="random">The chance.</param>
    /// <typeparam name="T">The kind of nodes.</typeparam>
    public static IEnumerable<T> Of<T>(IEnumerable<(string Uuid, long Slots, T Node)> nodes, byte[]? seed, Random random)
    {
        double Chance(string uuid) => seed is null ? random.NextDouble() : Share(uuid, seed);
        return nodes.Select(node => (Time: -Math.Log(1 - Chance(node.Uuid)) / Math.Max(1, node.Slots), node.Node))
            .OrderBy(one => one.Time).Take(MostNodes).Select(one => one.Node);
    }

    /// <summary>A number from 0 up to 1, by the hash of node and seed.</summary>
    private static double Share(string uuid, byte[] seed)
    {
        byte[] hash = SHA256.HashData([.. Encoding.UTF8.GetBytes(uuid), .. seed]);
        return (BinaryPrimitives.ReadUInt64LittleEndian(hash) >> 11) / (double)(1UL << 53);
    }
}
