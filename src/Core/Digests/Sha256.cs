using System.Buffers.Binary;
using System.Numerics;

namespace Cocaine.Fast.Core.Digests;

/// <summary>
/// SHA-256 (FIPS 180-4) for digests of files and names, which are no secrets. The class of .NET loads OpenSSL into the process, and a node
/// that has nothing to do with keys does without that library. Where a secret is digested, or keys are used, the class of .NET is right.
/// </summary>
internal static class Sha256
{
    public const int HashBytes = 32;

    private const int BlockBytes = 64, Rounds = 64;

    /// <summary>The last bytes of the last block: the length of the text in bits.</summary>
    private const int LengthBytes = 8;

    /// <summary>Section 5.3.3: the fractions of the square roots of the first eight primes.</summary>
    private static ReadOnlySpan<uint> Initial =>
    [
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    ];

    /// <summary>Section 4.2.2: the fractions of the cube roots of the first 64 primes.</summary>
    private static ReadOnlySpan<uint> Constants =>
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    /// <summary>The digest as 64 lower-case hexadecimal digits.</summary>
    public static string HexOf(ReadOnlySpan<byte> text) => Convert.ToHexStringLower(HashOf(text));

    /// <summary>The digest.</summary>
    public static byte[] HashOf(ReadOnlySpan<byte> text)
    {
        Span<uint> state = stackalloc uint[Initial.Length];
        Span<uint> schedule = stackalloc uint[Rounds];
        Initial.CopyTo(state);
        ReadOnlySpan<byte> rest = text;
        for (; rest.Length >= BlockBytes; rest = rest[BlockBytes..])
        {
            Add(rest[..BlockBytes], state, schedule);
        }

        // Section 5.1.1: a bit 1, then zeros, then the length; it takes a second block when the first has no room for the length.
        Span<byte> last = stackalloc byte[2 * BlockBytes];
        last.Clear();
        rest.CopyTo(last);
        last[rest.Length] = 0x80;
        int end = rest.Length + 1 + LengthBytes <= BlockBytes ? BlockBytes : 2 * BlockBytes;
        BinaryPrimitives.WriteUInt64BigEndian(last[(end - LengthBytes)..], (ulong)text.Length * 8);
        for (int start = 0; start < end; start += BlockBytes)
        {
            Add(last.Slice(start, BlockBytes), state, schedule);
        }

        byte[] hash = new byte[HashBytes];
        for (int i = 0; i < state.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(hash.AsSpan(i * sizeof(uint)), state[i]);
        }

        return hash;
    }

    /// <summary>Section 6.2.2, with its names.</summary>
    private static void Add(ReadOnlySpan<byte> block, Span<uint> state, Span<uint> w)
    {
        for (int t = 0; t < 16; t++)
        {
            w[t] = BinaryPrimitives.ReadUInt32BigEndian(block[(t * sizeof(uint))..]);
        }

        for (int t = 16; t < Rounds; t++)
        {
            uint far = w[t - 15], near = w[t - 2];
            uint sigma0 = BitOperations.RotateRight(far, 7) ^ BitOperations.RotateRight(far, 18) ^ (far >> 3);
            uint sigma1 = BitOperations.RotateRight(near, 17) ^ BitOperations.RotateRight(near, 19) ^ (near >> 10);
            w[t] = sigma1 + w[t - 7] + sigma0 + w[t - 16];
        }

        uint a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
        for (int t = 0; t < Rounds; t++)
        {
            uint sum1 = BitOperations.RotateRight(e, 6) ^ BitOperations.RotateRight(e, 11) ^ BitOperations.RotateRight(e, 25);
            uint choice = (e & f) ^ (~e & g);
            uint t1 = h + sum1 + choice + Constants[t] + w[t];
            uint sum0 = BitOperations.RotateRight(a, 2) ^ BitOperations.RotateRight(a, 13) ^ BitOperations.RotateRight(a, 22);
            uint majority = (a & b) ^ (a & c) ^ (b & c);
            (h, g, f, e, d, c, b, a) = (g, f, e, d + t1, c, b, a, t1 + sum0 + majority);
        }

        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
        state[4] += e;
        state[5] += f;
        state[6] += g;
        state[7] += h;
    }
}
