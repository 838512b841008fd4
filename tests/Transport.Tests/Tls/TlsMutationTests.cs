using System.Buffers;
using System.Globalization;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Transport.Tests.Tls;

/// <summary>
/// Bytes that an attacker on the wire changes. COCAINE_TLS_MUTATIONS is the number of changed records, COCAINE_FUZZ_SEED the seed.
/// </summary>
[Collection(nameof(Alone))]
public sealed class TlsMutationTests : IDisposable
{
    private const int UsualMutations = 8000;

    private readonly TestFolder _folder = new();
    private readonly TlsContext _server;
    private readonly TlsContext _client;

    public TlsMutationTests()
    {
        TestCertificates ca = new(_folder);
        _server = SessionPair.ServerOf(ca.IssueServer());
        _client = SessionPair.ClientOf(ca.CaFile);
    }

    public void Dispose()
    {
        _server.Dispose();
        _client.Dispose();
        _folder.Dispose();
    }

    /// <summary>
    /// A server never reads a byte that its client did not write, in the client's order; a session that was changed fails or waits. Nothing
    /// of a failed session stays in memory.
    /// </summary>
    [Fact]
    public void Changed_records_are_never_read()
    {
        int count = Number("COCAINE_TLS_MUTATIONS", UsualMutations);
        Random random = new(Number("COCAINE_FUZZ_SEED", 1));
        long before = 0;
        int failed = 0;
        for (int i = 0; i < count; i++)
        {
            using SessionPair pair = new(_server, _client);
            if (i % 4 == 3)
            {
                MutateHandshake(pair, random);
            }
            else
            {
                failed += MutateRecords(pair, random) ? 1 : 0;
            }

            if (i == Math.Min(2000, count / 4))
            {
                before = ResidentBytes();
            }
        }

        Assert.True(failed > count / 4, $"only {failed} of {count} were noticed");
        Assert.InRange(ResidentBytes() - before, long.MinValue, 40 << 20);
    }

    private static int Number(string variable, int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int number) ? number : usual;

    private static long ResidentBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Environment.WorkingSet;
    }

    /// <summary>Three records, of which one is changed. True when the session has failed.</summary>
    private static bool MutateRecords(SessionPair pair, Random random)
    {
        Assert.Equal((TlsResult.Ok, TlsResult.Ok), pair.Handshake());
        List<byte[]> records = [.. Enumerable.Range(0, 3).Select(n => pair.Write(pair.Client, Text(n, random.Next(1, 300))))];
        byte[] written = [.. records.SelectMany((record, n) => Text(n, record.Length - 22))];
        int at = random.Next(3);
        byte[] chosen = records[at];
        switch (random.Next(6))
        {
            case 0:
                chosen[random.Next(chosen.Length)] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                records[at] = chosen[..random.Next(chosen.Length)];
                break;
            case 2:
                records.Insert(at, chosen);
                break;
            case 3:
                (records[at], records[(at + 1) % 3]) = (records[(at + 1) % 3], chosen);
                break;
            case 4:
                records.RemoveAt(at);
                break;
            default:
                records.Insert(at, [(byte)random.Next(20, 25), 3, 3, 0, 20, .. Text(0, 20)]);
                break;
        }

        ArrayBufferWriter<byte> plain = new();
        TlsResult result = pair.Read(pair.Server, [.. records.SelectMany(record => record)], plain, out _);
        Assert.True(written.AsSpan().StartsWith(plain.WrittenSpan), $"{plain.WrittenCount} bytes were read that nobody wrote");
        return result == TlsResult.Failed;
    }

    private static void MutateHandshake(SessionPair pair, Random random)
    {
        ArrayBufferWriter<byte> hello = new(), answer = new();
        pair.Client.Handshake([], hello, out _);
        byte[] bytes = hello.WrittenSpan.ToArray();
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }

        TlsResult result = pair.Server.Handshake(bytes.AsSpan(0, random.Next(1, bytes.Length + 1)), answer, out _);
        Assert.NotEqual(TlsResult.Ok, result);
    }

    private static byte[] Text(int number, int length)
    {
        byte[] text = new byte[length];
        new Random(number).NextBytes(text);
        return text;
    }
}
