using System.Security.Cryptography;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Client.Tests;

/// <summary>Streamed calls of the client library against a real node.</summary>
public class StreamingClientTests
{
    [Fact]
    public async Task A_slow_reader_gets_every_byte_in_order_while_the_writer_waits_for_it()
    {
        const int Chunks = 400, ChunkBytes = 64 << 10;
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Process));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        await using ClientCall call = client.Open("echo");
        byte[] all = RandomNumberGenerator.GetBytes(Chunks * ChunkBytes);
        Task writing = Task.Run(async () =>
        {
            for (int i = 0; i < Chunks; i++)
            {
                await call.WriteAsync(all.AsMemory(i * ChunkBytes, ChunkBytes));
            }

            await call.CompleteAsync();
        });
        int at = 0;
        await foreach (ReadOnlyMemory<byte> chunk in call.ReadAllAsync())
        {
            Assert.True(chunk.Span.SequenceEqual(all.AsSpan(at, chunk.Length)));
            at += chunk.Length;
            for (int i = 0; i < 20; i++)
            {
                await Task.Yield(); // slower than the loop
            }
        }

        Assert.Equal(all.Length, at);
        await writing;
    }

    [Fact]
    public async Task Cancellation_ends_the_reading_and_the_job()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", new EngineSettings { TerminationTimeoutMs = 300 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        using CancellationTokenSource stop = new();
        await using ClientCall call = client.Open("sleep", cancellation: stop.Token);
        await call.WriteAsync(Utf8.Of("30"));
        await call.CompleteAsync();
        ValueTask<ReadOnlyMemory<byte>?> reading = call.ReadAsync();
        await app.UntilInfoShowsAsync("\"running\":1");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await reading);
        await app.UntilInfoShowsAsync("\"running\":0");
    }

    [Fact]
    public async Task A_handle_is_of_no_use_after_its_end()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        ClientCall call = client.Open("echo");
        await call.DisposeAsync();
        await call.DisposeAsync();
        ClientCall next = client.Open("echo");
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await call.WriteAsync(Utf8.Of("x")));
        await next.WriteAsync(Utf8.Of("y"));
        await next.CompleteAsync();
        Assert.Equal("y"u8.ToArray(), (await next.ReadAsync())!.Value.ToArray());
        Assert.Null(await next.ReadAsync());
        await next.DisposeAsync();
    }

    [Fact]
    public async Task Two_writes_at_once_are_refused()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        await using ClientCall call = client.Open("echo");
        ValueTask first = call.WriteAsync(Utf8.Of("x"));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await call.WriteAsync(Utf8.Of("y")));
        await first;
    }
}
