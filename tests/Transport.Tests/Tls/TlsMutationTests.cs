using System.Buffers;
using System.Globalization;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Transport.Tests.Tls;

/// <summary>
/// Bytes that an attacker on the wire changes. COCAINE_TLS_MUTATIONS is the number of changed hellos and records, COCAINE_FUZZ_SEED the seed.
/// </summary>
/// <remarks>
/// A changed record ends its session, and a session costs a handshake: so 49 of 50 changes are to hellos, which need no client.
/// </remarks>
[Collection(nameof(Alone))]
public sealed class TlsMutationTests : IDisposable
{
    private const int UsualMutations = 1_000_000;

    /// <summary>One of so many changes is to records.</summary>
    private const int HellosForRecord = 50;

    /// <summary>The least changes before memory is looked at.</summary>
    private const int LeastFirst = 20_000;

    /// <summary>Memory may grow by this in the other nine tenths: of a million, a leak of 48 bytes in each would show.</summary>
    private const long MaxGrowthBytes = 40 << 20;

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
    public void Changed_hellos_and_records_are_never_read()
    {
        int count = Number("COCAINE_TLS_MUTATIONS", UsualMutations), seed = Number("COCAINE_FUZZ_SEED", 1);
        byte[][] hellos = [.. Enumerable.Range(0, 8).Select(_ => Hello())];
        int first = Math.Max(count / 10, LeastFirst); // buffers, pools and the library's caches have grown by then
        Change(first, seed, hellos);
        long before = ResidentBytes();
        (long records, long noticed) = Change(Math.Max(count - first, LeastFirst), seed + 1, hellos);
        Assert.True(noticed > records / 2, $"only {noticed} of {records} changed records were noticed");
        Assert.InRange(ResidentBytes() - before, long.MinValue, MaxGrowthBytes);
        using SessionPair good = new(_server, _client);
        Assert.Equal((TlsResult.Ok, TlsResult.Ok), good.Handshake());
    }

    /// <summary>Makes so many changes, on all processors.</summary>
    private (long Records, long Noticed) Change(int count, int seed, byte[][] hellos)
    {
        long records = 0, noticed = 0;
        int threads = Environment.ProcessorCount;
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, thread =>
        {
            Random random = new(HashCode.Combine(seed, thread));
            int own = (count / threads) + (thread < count % threads ? 1 : 0);
            for (int i = 0; i < own; i++)
            {
                if (i % HellosForRecord != 0)
                {
                    MutateHello(hellos[random.Next(hellos.Length)], random);
                    continue;
                }

                using SessionPair pair = new(_server, _client);
                Interlocked.Increment(ref records);
                Interlocked.Add(ref noticed, MutateRecords(pair, random) ? 1 : 0);
            }
        });
        return (records, noticed);
    }

    private byte[] Hello()
    {
        using SessionPair pair = new(_server, _client);
        ArrayBufferWriter<byte> hello = new();
        pair.Client.Handshake([], hello, out _);
        return hello.WrittenSpan.ToArray();
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

    private void MutateHello(byte[] hello, Random random)
    {
        byte[] bytes = [.. hello];
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }

        using TlsSession server = _server.TryAccept()!;
        Assert.NotEqual(TlsResult.Ok, server.Handshake(bytes.AsSpan(0, random.Next(1, bytes.Length + 1)), new ArrayBufferWriter<byte>(), out _));
    }

    private static byte[] Text(int number, int length)
    {
        byte[] text = new byte[length];
        new Random(number).NextBytes(text);
        return text;
    }
}
