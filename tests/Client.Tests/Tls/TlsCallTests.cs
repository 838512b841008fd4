using System.Security.Cryptography;
using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Client.Tests.Tls;

/// <summary>Calls over TLS to a real node.</summary>
public sealed class TlsCallTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly TestFolder _folder = new();
    private readonly TestNode _node = TestNode.Start();
    private TestCertificates _certificates = null!;
    private string _endpoint = "";

    public async Task InitializeAsync()
    {
        _certificates = new TestCertificates(_folder);
        RunningApp app = await _node.AddAsync(TestApps.DotNet(BackendType.Thread));
        _endpoint = app.Endpoints[0].Endpoint;
    }

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Calls_of_all_sizes_come_back_whole_side_by_side()
    {
        await using TlsFront front = new(_certificates.IssueServer(), TlsFront.To(_endpoint));
        await using CocaineClient client = await CocaineClient.ConnectAsync(front.Endpoint, Trusting());
        int[] sizes = [1, 64, 4 << 10, 16 << 10, (16 << 10) + 1, 64 << 10, 1 << 20, 9 << 20];
        byte[][] requests = [.. sizes.Concat(sizes).Select(RandomNumberGenerator.GetBytes)];
        byte[][] answers = await Task.WhenAll(requests.Select(request => client.CallAsync("echo", request))).WaitAsync(Limit);
        Assert.All(requests.Zip(answers), pair => Assert.True(pair.First.AsSpan().SequenceEqual(pair.Second)));
        Assert.NotEmpty(await client.InfoAsync());
    }

    [Fact]
    public async Task A_stream_whose_reader_is_slow_comes_whole()
    {
        await using TlsFront front = new(_certificates.IssueServer(), TlsFront.To(_endpoint));
        await using CocaineClient client = await CocaineClient.ConnectAsync(front.Endpoint, Trusting());
        await using ClientCall call = client.Open("echo");
        byte[] all = RandomNumberGenerator.GetBytes(200 * (64 << 10));
        Task writing = Task.Run(async () =>
        {
            foreach (byte[] chunk in all.Chunk(64 << 10))
            {
                await call.WriteAsync(chunk);
            }

            await call.CompleteAsync();
        });
        int at = 0;
        await foreach (ReadOnlyMemory<byte> chunk in call.ReadAllAsync())
        {
            Assert.True(chunk.Span.SequenceEqual(all.AsSpan(at, chunk.Length)));
            at += chunk.Length;
            await Task.Yield(); // slower than the loop
        }

        Assert.Equal(all.Length, at);
        await writing;
    }

    [Fact]
    public async Task A_client_shows_its_certificate_and_a_server_that_wants_one_lets_it_in()
    {
        await using TlsFront front = new(_certificates.IssueServer(), TlsFront.To(_endpoint), _certificates.Ca.Certificate);
        TestCertificate own = _certificates.Issue("billing", new CertificateForm { IsForServers = false });
        ClientOptions options = Trusting() with { Tls = Trusting().Tls! with { CertificateFile = own.CertificateFile, KeyFile = own.KeyFile } };
        await using CocaineClient client = await CocaineClient.ConnectAsync(front.Endpoint, options);
        Assert.Equal(Utf8.Of("hello"), await client.CallAsync("echo", Utf8.Of("hello")).WaitAsync(Limit));
    }

    [Fact]
    public async Task A_token_goes_with_each_call_over_TLS_and_over_a_Unix_socket_and_nowhere_else()
    {
        const string Token = "Zm9v-bar_baz";
        string socket = $"ipc://{_folder["app.sock"]}";
        AppManifest manifest = TestApps.Python(_folder.Path, """
            import cocaine

            def headers(request):
                yield repr(sorted(cocaine.current().headers))
            """, new EngineSettings { PoolLimit = 1 });
        TaskManifest task = manifest.Tasks[0];
        RunningApp app = await _node.AddAsync(manifest with
        {
            Tasks = [task with { Endpoints = [.. task.Endpoints, socket], Keys = new Dictionary<string, object>(task.Keys) { ["pass-authorization"] = true } }],
        });
        string plain = app.Endpoints.Single(one => one.Endpoint.StartsWith("tcp://127", StringComparison.Ordinal)).Endpoint;
        await using TlsFront front = new(_certificates.IssueServer(), TlsFront.To(plain));
        foreach (ClientOptions options in (ClientOptions[])[Trusting() with { Token = Token }, new ClientOptions { Token = Token }])
        {
            await using CocaineClient client = await CocaineClient.ConnectAsync(options.Tls is null ? socket : front.Endpoint, options);
            for (int i = 0; i < 2; i++)
            {
                CallOptions call = new() { Deadline = Limit, Timeout = Limit, Urgent = true, RetryLimit = 1, TraceId = 1, SpanId = 2 };
                string headers = Encoding.UTF8.GetString(await client.CallAsync("headers", default, call).WaitAsync(Limit));
                Assert.Contains($"(b'authorization', b'Bearer {Token}')", headers);
            }

            Assert.DoesNotContain(Token, options.ToString());
        }

        FormatException refused = await Assert.ThrowsAsync<FormatException>(() => CocaineClient.ConnectAsync(plain, new ClientOptions { Token = Token }));
        Assert.Equal($"'{plain}': a token goes only over TLS or a Unix socket: others could read it on its way", refused.Message);
        foreach (string wrong in (string[])["", "two words", "ä", new string('t', 257)])
        {
            Assert.Throws<FormatException>(() => new ClientOptions { Token = wrong });
        }
    }

    [Fact]
    public async Task An_answer_that_is_cut_off_fails_its_call()
    {
        await using TlsFront front = new(_certificates.IssueServer(), async (peer, stop) =>
        {
            await peer.ReadExactlyAsync(new byte[8], stop);
            await peer.WriteAsync(new byte[] { 0x94, 0x01, 0x00 }, stop); // the beginning of a message, and then no close notice
        });
        await using CocaineClient client = await CocaineClient.ConnectAsync(front.Endpoint, Trusting());
        ConnectionLostException lost = await Assert.ThrowsAsync<ConnectionLostException>(() => client.CallAsync("echo", Utf8.Of("x")).WaitAsync(Limit));
        Assert.Contains("without a close notice", lost.Message);
        await Assert.ThrowsAsync<ConnectionLostException>(() => client.CallAsync("echo", Utf8.Of("x")).WaitAsync(Limit));
    }

    [Fact]
    public async Task A_server_that_ends_as_it_should_fails_the_calls_without_a_word_of_TLS()
    {
        await using TlsFront front = new(_certificates.IssueServer(), async (peer, stop) =>
        {
            await peer.ReadExactlyAsync(new byte[8], stop);
            await peer.ShutdownAsync();
        });
        await using CocaineClient client = await CocaineClient.ConnectAsync(front.Endpoint, Trusting());
        ConnectionLostException lost = await Assert.ThrowsAsync<ConnectionLostException>(() => client.CallAsync("echo", Utf8.Of("x")).WaitAsync(Limit));
        Assert.Equal("the peer closed the connection", lost.Message);
    }

    [Fact]
    public async Task A_client_that_is_disposed_tells_its_end()
    {
        TaskCompletionSource<int> end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TlsFront front = new(_certificates.IssueServer(), async (peer, stop) =>
        {
            try
            {
                end.SetResult(await peer.ReadAsync(new byte[16], stop)); // 0 only after a close notice
            }
            catch (IOException cut)
            {
                end.SetException(cut);
            }
        });
        CocaineClient client = await CocaineClient.ConnectAsync(front.Endpoint, Trusting());
        await client.DisposeAsync();
        Assert.Equal(0, await end.Task.WaitAsync(Limit));
    }

    private ClientOptions Trusting() => new() { Tls = new ClientTls { CaFile = _certificates.CaFile } };
}
