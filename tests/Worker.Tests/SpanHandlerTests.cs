using System.Security.Cryptography;
using System.Text;

namespace Cocaine.Fast.Worker.Tests;

/// <summary>
/// Handlers that read their request where it lies, in the slave's ring: they see the bytes that were sent, whatever comes meanwhile.
/// </summary>
public class SpanHandlerTests
{
    private const int RingBytes = 1 << 20;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_request_of_any_length_comes_as_it_was_sent(bool onRings)
    {
        using BareWorker worker = BareWorker.Start(onRings, typeof(Spans));
        int[] sizes = [0, 1, 1023, 1024, 1025, 1 << 16, 200_000, RingBytes / 4, 300_000, 3 * RingBytes];
        ulong channel = 2;
        foreach (int size in sizes)
        {
            worker.Invoke(channel, "hash");
            worker.Send(channel, Bytes(size, size));
            worker.Close(channel);
            channel += 2;
        }

        worker.Until(() => worker.HasEnded(channel - 2));
        Assert.All(sizes, (size, i) => Assert.Equal(HashOf(Bytes(size, size)), worker.Answer(2 + (2 * (ulong)i))));
        worker.Terminate();
    }

    [Fact]
    public void A_request_in_chunks_comes_as_one_piece()
    {
        using BareWorker worker = BareWorker.Start(onRings: true, typeof(Spans));
        worker.Invoke(2, "mirror");
        worker.Send(2, Bytes(5000, 1));
        worker.Send(2, Bytes(7, 2));
        worker.Send(2, Bytes(70_000, 3));
        worker.Close(2);
        worker.Until(() => worker.HasEnded(2));
        Assert.Equal(Text(5000, 1) + Text(7, 2) + Text(70_000, 3), worker.Answer(2));
        worker.Terminate();
    }

    [Fact]
    public void A_request_that_is_not_whole_outlives_its_place_in_the_ring()
    {
        using BareWorker worker = BareWorker.Start(onRings: true, typeof(Spans));
        worker.Invoke(2, "mirror");
        worker.Send(2, Bytes(100_000, 1));
        for (ulong channel = 4; channel < 60; channel += 2)
        {
            worker.Invoke(channel, "mirror");
            worker.Send(channel, Bytes(100_000, (int)channel));
            worker.Close(channel);
            worker.Until(() => worker.HasEnded(channel));
        }

        worker.Close(2);
        worker.Until(() => worker.HasEnded(2));
        Assert.Equal(Text(100_000, 1), worker.Answer(2));
        worker.Terminate();
    }

    [Fact]
    public void A_handler_that_writes_another_jobs_answer_keeps_its_request()
    {
        using BareWorker worker = BareWorker.Start(onRings: true, typeof(Spans), hasFlow: true, mostBegun: 2);
        worker.Invoke(2, "open");
        worker.Until(() => worker.Answer(2) == "open");
        worker.Invoke(4, "crosses");
        worker.Send(4, Bytes(200_000, 4));
        worker.Close(4);
        worker.Push();
        Assert.True(Spans.Entered.Wait(TimeSpan.FromSeconds(60)));
        worker.Invoke(6, "hash");
        for (int i = 0; i < 12; i++)
        {
            worker.Send(6, Bytes(100_000, 6)); // more than the ring has room for, as long as the request is in it
        }

        worker.Close(6);
        worker.Push();
        Spans.Written.Release();
        Assert.True(Spans.Entered.Wait(TimeSpan.FromSeconds(60)));
        worker.Push(); // if the ring's room were given back by now, this would write over the request
        Spans.Written.Release();
        worker.Until(() => worker.HasEnded(4) && worker.HasEnded(6));
        Assert.Equal(Text(200_000, 4), worker.Answer(4));
        worker.Close(2);
        worker.Until(() => worker.HasEnded(2));
        worker.Terminate();
    }

    [Fact]
    public void A_handler_that_throws_fails_its_own_job()
    {
        using BareWorker worker = BareWorker.Start(onRings: true, typeof(Spans));
        worker.Invoke(2, "throws");
        worker.Send(2, Bytes(5000, 1));
        worker.Close(2);
        worker.Invoke(4, "mirror");
        worker.Send(4, Bytes(5000, 2));
        worker.Close(4);
        worker.Until(() => worker.HasEnded(2) && worker.HasEnded(4));
        Assert.Equal("", worker.Answer(2));
        Assert.Equal(Text(5000, 2), worker.Answer(4));
        worker.Terminate();
    }

    private static byte[] Bytes(int size, int seed) => Encoding.ASCII.GetBytes(Text(size, seed));

    private static string HashOf(ReadOnlySpan<byte> bytes) => Convert.ToHexString(SHA256.HashData(bytes));

    private static string Text(int size, int seed) =>
        string.Create(size, seed, static (text, from) =>
        {
            for (int i = 0; i < text.Length; i++)
            {
                text[i] = (char)('!' + ((i + (from * 7)) % 93));
            }
        });

    public sealed class Spans
    {
        private Response? _open;

        internal static SemaphoreSlim Entered { get; } = new(0);

        internal static SemaphoreSlim Written { get; } = new(0);

        [Event("mirror")]
        public ReadOnlySpan<byte> Mirror(ReadOnlySpan<byte> request) => request;

        [Event("hash")]
        public ReadOnlySpan<byte> Hash(ReadOnlySpan<byte> request) => Encoding.ASCII.GetBytes(HashOf(request));

        [Event("throws")]
        public ReadOnlySpan<byte> Throws(ReadOnlySpan<byte> request) => throw new InvalidOperationException($"{request.Length}");

        [Event("open")]
        public async ValueTask Open(Request request, Response response)
        {
            response.Write("open"u8);
            _open = response;
            _ = await request.ReadAsync();
        }

        /// <summary>Writes so much of another job's answer that a handler would take the node's messages.</summary>
        [Event("crosses")]
        public ReadOnlySpan<byte> Crosses(ReadOnlySpan<byte> request)
        {
            byte[] chunk = new byte[100_000];
            _open!.Write(chunk);
            Entered.Release();
            Written.Wait();
            _open.Write(chunk);
            _open.Write(chunk);
            Entered.Release();
            Written.Wait();
            return request;
        }
    }
}
