using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.Native;

/// <summary>Sealed calls of a real client to a real node, with and without a relay that reads and repeats.</summary>
public sealed class SealedCallTests : IDisposable
{
    private readonly SealKeys _keys = new("billing", "other");

    public void Dispose() => _keys.Dispose();

    [Theory]
    [InlineData("accepted")]
    [InlineData("required")]
    public async Task Calls_are_answered(string mode)
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await node.AddAsync(App(mode));
        await using CocaineClient client = await ConnectAsync(app);
        for (int i = 0; i < 50; i++)
        {
            CallOptions options = new() { Deadline = TimeSpan.FromSeconds(20), Urgent = i % 2 == 0, RetryLimit = i % 3 };
            Assert.Equal($"hello {i}", Utf8.TextOf(await client.CallAsync("echo", Utf8.Of($"hello {i}"), options)));
        }

        Assert.Equal("", Utf8.TextOf(await client.CallAsync("echo", default)));
        byte[] large = [.. Enumerable.Range(0, 3 << 20).Select(i => (byte)(i * 7))];
        Assert.Equal(large, await client.CallAsync("echo", large));
        byte[][] answers = await Task.WhenAll(Enumerable.Range(0, 500).Select(i => client.CallAsync("echo", Utf8.Of($"{i}"))));
        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"{i}"), answers.Select(Utf8.TextOf));
    }

    [Fact]
    public async Task Streams_are_sealed_in_both_directions()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await node.AddAsync(App("required"));
        await using CocaineClient client = await ConnectAsync(app);
        await using ClientCall call = client.Open("echo");
        ArrayBufferWriter<byte> all = new();
        for (int i = 0; i < 100; i++)
        {
            await call.WriteAsync(Utf8.Of($"chunk {i};"));
        }

        await call.CompleteAsync();
        while (await call.ReadAsync() is { } chunk)
        {
            all.Write(chunk.Span);
        }

        Assert.Equal(string.Concat(Enumerable.Range(0, 100).Select(i => $"chunk {i};")), Utf8.TextOf(all.WrittenSpan.ToArray()));
        await using ClientCall count = client.Open("count");
        await count.WriteAsync(Utf8.Of("3"));
        await count.CompleteAsync();
        Assert.Equal("1\n", Utf8.TextOf((await count.ReadAsync())!.Value.ToArray()));
        Assert.Equal("2\n", Utf8.TextOf((await count.ReadAsync())!.Value.ToArray()));
        Assert.Equal("3\n", Utf8.TextOf((await count.ReadAsync())!.Value.ToArray()));
        Assert.Null(await count.ReadAsync());
    }

    [Fact]
    public async Task Errors_keep_their_codes_and_hide_their_texts()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await node.AddAsync(App("required"));
        await using Relay relay = new(app);
        await using CocaineClient client = await CocaineClient.ConnectAsync(relay.Endpoint, _keys.Options("billing", app.Name));
        CocaineException failed = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("fail", Utf8.Of("the secret reason")));
        Assert.Equal(ErrorCodes.AppError, failed.Code);
        Assert.Contains("the secret reason", failed.Message);
        Assert.NotEqual(0UL, failed.JobId);
        Assert.DoesNotContain("the secret reason", relay.Seen);
        Assert.Contains("sealed", relay.Seen);
        Assert.Equal("still open", Utf8.TextOf(await client.CallAsync("echo", Utf8.Of("still open"))));
        Assert.DoesNotContain("still open", relay.Seen);
    }

    [Fact]
    public async Task A_door_says_what_it_takes()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp required = await node.AddAsync(App("required"));
        await using CocaineClient plain = await TestNode.ConnectAsync(required);
        await RefusedAsync(plain, ErrorCodes.Unauthenticated, "this door wants to know who calls: a sealed request");
        RunningApp without = await node.AddAsync(App("no") with { Name = "plain" });
        await using CocaineClient client = await ConnectAsync(without);
        await RefusedAsync(client, ErrorCodes.BadRequest, "seal: this door takes no sealed requests (this error is not sealed)");
        RunningApp both = await node.AddAsync(App("accepted") with { Name = "both" });
        await using CocaineClient other = await TestNode.ConnectAsync(both);
        Assert.Equal("hi", Utf8.TextOf(await other.CallAsync("echo", Utf8.Of("hi"))));
    }

    [Fact]
    public async Task Strangers_and_calls_for_another_app_are_refused()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await node.AddAsync(App("required"));
        using SealKeys foreign = new("billing");
        await using CocaineClient stranger = await CocaineClient.ConnectAsync(app.Endpoints[0].Endpoint, foreign.Options("billing", app.Name));
        await RefusedAsync(stranger, ErrorCodes.Unauthenticated, "seal: cannot be opened (this error is not sealed)");
        await using CocaineClient lost = await CocaineClient.ConnectAsync(app.Endpoints[0].Endpoint, _keys.Options("billing", "another"));
        await RefusedAsync(lost, ErrorCodes.Unauthenticated, "seal: cannot be opened (this error is not sealed)");
        Assert.Equal(0UL, app.Engine.Counters.JobsAccepted);
    }

    [Fact]
    public async Task What_a_relay_repeats_makes_no_second_job()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await node.AddAsync(App("required"));
        await using Relay relay = new(app);
        await using CocaineClient client = await CocaineClient.ConnectAsync(relay.Endpoint, _keys.Options("billing", app.Name));
        await client.CallAsync("echo", Utf8.Of("pay 5"));
        int first = relay.Requests.Length;
        await client.CallAsync("echo", Utf8.Of("pay 6"));
        byte[] opening = relay.Requests[..first], second = relay.Requests[first..];
        using MessagePeer peer = await MessagePeer.ConnectAsync(app);
        await peer.SendAsync(opening); // the session again
        Received? refused = await peer.ReadAsync();
        while (refused is { Type: not MessageType.Error })
        {
            refused = await peer.ReadAsync(); // flow control, to which the client's first message agrees
        }

        Assert.Equal(ErrorCodes.Unauthenticated, refused!.Code);
        Assert.Equal("seal: replayed or too old", refused.Text);
        using MessagePeer another = await MessagePeer.ConnectAsync(app);
        await another.SendAsync(second); // a call of the open session again
        refused = await another.ReadAsync();
        Assert.Equal("seal: replayed or too old", refused!.Text);
        Assert.Equal(2UL, app.Engine.Counters.JobsAccepted);
    }

    /// <summary>Calls that a relay has kept for itself, broken in every way that a seed finds: each makes one job at most.</summary>
    [Fact]
    public async Task What_a_relay_breaks_makes_no_job_twice_and_harms_nobody()
    {
        const int Calls = 60, Breaks = 60;
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await node.AddAsync(App("required"));
        await using CocaineClient good = await ConnectAsync(app, "other");
        await using Relay relay = new(app);
        await using CocaineClient client = await CocaineClient.ConnectAsync(relay.Endpoint, _keys.Options("billing", app.Name));
        Assert.Equal("first", Utf8.TextOf(await client.CallAsync("echo", Utf8.Of("first"))));
        relay.KeepsRequests = true;
        Random random = new(1);
        for (int call = 0; call < Calls; call++)
        {
            int from = relay.Requests.Length;
            _ = client.CallAsync("echo", random.NextDouble() < 0.5 ? new byte[random.Next(300)] : new byte[random.Next(9000)]);
            byte[] kept = await relay.NextAsync(from);
            ulong before = app.Engine.Counters.JobsAccepted;
            for (int i = 0; i < Breaks; i++)
            {
                List<byte> broken = [.. kept];
                int at = random.Next(broken.Count), length = random.Next(Math.Min(40, broken.Count - at) + 1);
                switch (random.Next(5))
                {
                    case 0:
                        broken[at] ^= (byte)(1 << random.Next(8));
                        break;
                    case 1:
                        broken.RemoveRange(at, length);
                        break;
                    case 2:
                        broken.InsertRange(at, broken.GetRange(at, length));
                        break;
                    case 3:
                        broken.RemoveRange(at, broken.Count - at);
                        break;
                    default:
                        broken.AddRange(kept);
                        break;
                }

                using MessagePeer peer = await MessagePeer.ConnectAsync(app);
                await peer.SendAsync([.. broken]);
                peer.Socket.Shutdown(SocketShutdown.Send);
                while (await peer.ReadAsync() is not null)
                {
                }
            }

            Assert.InRange(app.Engine.Counters.JobsAccepted - before, 0UL, 1UL);
            Assert.Equal($"{call}", Utf8.TextOf(await good.CallAsync("echo", Utf8.Of($"{call}"))));
        }

        Assert.DoesNotContain(node.LogLines.Lines, line => line.Contains("fault") || line.Contains("report this"));
    }

    [Fact]
    public async Task A_key_that_is_taken_out_ends_its_sessions_and_another_one_goes_on()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await node.AddAsync(App("required"));
        await using CocaineClient client = await ConnectAsync(app), other = await ConnectAsync(app, "other");
        Assert.Equal("a", Utf8.TextOf(await client.CallAsync("echo", Utf8.Of("a"))));
        Assert.Equal("b", Utf8.TextOf(await other.CallAsync("echo", Utf8.Of("b"))));
        File.Delete(_keys.PublicOf("billing"));
        node.Node.LookAtKeys();
        await node.LogLines.UntilAsync("the keys of sealed jobs have changed: 1 of callers, 1 own; 1 sessions go on");
        await RefusedAsync(client, ErrorCodes.Unauthenticated, "seal: unknown session, open it again (this error is not sealed)");
        await RefusedAsync(client, ErrorCodes.Unauthenticated, "seal: cannot be opened (this error is not sealed)"); // the next call opens anew
        Assert.Equal("c", Utf8.TextOf(await other.CallAsync("echo", Utf8.Of("c"))));
        File.WriteAllText(_keys.PublicOf("broken"), "no key");
        node.Node.LookAtKeys();
        await node.LogLines.UntilAsync("those of before count until this is repaired");
        Assert.Equal("d", Utf8.TextOf(await other.CallAsync("echo", Utf8.Of("d"))));
    }

    [Fact]
    public async Task The_rights_of_a_sealed_call_are_those_of_its_key()
    {
        SecurityConfig security = new()
        {
            Identities = [new Identity { Name = "shop", RsaKeys = ["billing"] }],
            Rights = [new RightsRule
            {
                Callers = ["shop"],
                Calls = [new CallGrant(new NamePattern("*"), [new NamePattern("echo")])],
            }],
        };
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder, security: security);
        RunningApp app = await node.AddAsync(App("accepted"));
        await using CocaineClient client = await ConnectAsync(app), other = await ConnectAsync(app, "other"), plain = await TestNode.ConnectAsync(app);
        Assert.Equal("a", Utf8.TextOf(await client.CallAsync("echo", Utf8.Of("a"))));
        CocaineException refused = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("fail", Utf8.Of("a")));
        Assert.Equal((ErrorCodes.Forbidden, "shop may not call 'fail' of dotnet-echo"), (refused.Code, refused.Message)); // sealed
        const string Unknown = "this door wants to know who calls: a client certificate, a sealed request or a token";
        await RefusedAsync(other, ErrorCodes.Unauthenticated, Unknown); // its key is known, but of no identity
        await RefusedAsync(plain, ErrorCodes.Unauthenticated, Unknown);
        await node.LogLines.UntilAsync("denied who=shop by=seal ");
    }

    /// <summary>A relay may carry calls of many senders, and rules may change between two calls of a session.</summary>
    [Fact]
    public async Task Each_sender_of_a_connection_has_its_own_rights_by_the_rules_of_now()
    {
        SecurityConfig Rules(params string[] who) => new()
        {
            Identities = [new Identity { Name = "billing", RsaKeys = ["billing"] }, new Identity { Name = "other", RsaKeys = ["other"] }],
            Rights = [new RightsRule { Callers = who, Calls = [new CallGrant(new NamePattern("*"), [new NamePattern("echo")])] }],
        };
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder, security: Rules("billing"));
        RunningApp app = await node.AddAsync(App("required"));
        using MessagePeer peer = await MessagePeer.ConnectAsync(app);
        SealedCaller billing = new(_keys, "billing", app.Name), other = new(_keys, "other", app.Name);
        ulong channel = 0;
        async Task<bool> MayAsync(SealedCaller sender) => (await sender.Call("echo", "x", ++channel).SendAsync(peer))[^1].Type != MessageType.Error;
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal((true, false), (await MayAsync(billing), await MayAsync(other)));
        }

        await node.Node.ChangeRulesAsync(Rules("other"));
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal((false, true), (await MayAsync(billing), await MayAsync(other)));
        }

        Assert.Equal(6UL, app.Engine.Counters.JobsAccepted);
    }

    [Fact]
    public async Task A_sink_takes_sealed_jobs_and_says_so_in_a_seal()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await node.AddAsync(App("required", "native-sink"));
        await using CocaineClient client = await ConnectAsync(app);
        Assert.Empty(await client.CallAsync("echo", Utf8.Of("take this")));
        await app.UntilInfoShowsAsync("\"running\":0");
        Assert.Equal(1UL, app.Engine.Counters.JobsAccepted);
    }

    [Fact]
    public async Task A_node_without_keys_opens_no_sealed_door()
    {
        await using TestNode node = TestNode.Start();
        NodeException refused = await Assert.ThrowsAsync<NodeException>(() => node.AddAsync(App("required")));
        Assert.Contains("'sealed' needs the keys of those who may call: set security.keys in the node's config", refused.Message);
    }

    [Fact]
    public void A_node_with_a_bad_key_does_not_start()
    {
        File.SetUnixFileMode(Path.Combine(_keys.Folder, "own/node.pem"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        NodeException refused = Assert.Throws<NodeException>(() => TestNode.Start(keysDirectory: _keys.Folder));
        Assert.Contains("own/node.pem: it can be reached by every user (mode 0404): chmod 600", refused.Message);
    }

    private static AppManifest App(string mode, string driver = "native-server")
    {
        AppManifest app = TestApps.DotNet(BackendType.Thread);
        string[] events = driver == "native-sink" ? [] : ["*"];
        return app with
        {
            Tasks = [new TaskManifest
            {
                Name = "echo", DriverType = driver, Endpoints = ["tcp://127.0.0.1:0"], Events = events,
                Keys = new Dictionary<string, object> { ["sealed"] = mode },
            }],
        };
    }

    private Task<CocaineClient> ConnectAsync(RunningApp app, string caller = "billing") =>
        CocaineClient.ConnectAsync(app.Endpoints[0].Endpoint, _keys.Options(caller, app.Name));

    private static async Task RefusedAsync(CocaineClient client, int code, string text)
    {
        CocaineException refused = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("echo", Utf8.Of("x")));
        Assert.Equal((code, text), (refused.Code, refused.Message));
    }

    /// <summary>A relay of one connection that keeps all bytes.</summary>
    private sealed class Relay : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task _work;
        private readonly MemoryStream _requests = new(), _answers = new();
        private readonly SemaphoreSlim _more = new(0);

        public Relay(RunningApp app)
        {
            _listener.Start();
            _work = RunAsync(IPEndPoint.Parse(app.Endpoints[0].Endpoint["tcp://".Length..]));
        }

        /// <summary>Requests go no further from now on.</summary>
        public bool KeepsRequests { get; set; }

        public string Endpoint => $"tcp://{_listener.LocalEndpoint}";

        public byte[] Requests
        {
            get
            {
                lock (_requests)
                {
                    return _requests.ToArray();
                }
            }
        }

        public string Seen
        {
            get
            {
                lock (_answers)
                {
                    return Encoding.Latin1.GetString(_answers.ToArray()) + Encoding.Latin1.GetString(Requests);
                }
            }
        }

        /// <summary>The bytes of a call that begins here: they end with the close of its channel.</summary>
        public async Task<byte[]> NextAsync(int from)
        {
            using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
            while (true)
            {
                byte[] all = Requests;
                if (all.Length - from > 20 && all[^2] == 2 && all[^1] == 0x90)
                {
                    return all[from..];
                }

                await _more.WaitAsync(limit.Token);
            }
        }

        public async ValueTask DisposeAsync()
        {
            _listener.Dispose();
            await _work.WaitAsync(TimeSpan.FromSeconds(20));
        }

        private async Task RunAsync(IPEndPoint node)
        {
            using Socket client = await _listener.AcceptSocketAsync(), server = new(SocketType.Stream, ProtocolType.Tcp);
            await server.ConnectAsync(node);
            await Task.WhenAll(PassAsync(client, server, _requests, () => KeepsRequests), PassAsync(server, client, _answers, static () => false));
        }

        private async Task PassAsync(Socket from, Socket to, MemoryStream seen, Func<bool> keeps)
        {
            byte[] bytes = new byte[64 << 10];
            try
            {
                while (await from.ReceiveAsync(bytes) is > 0 and int count)
                {
                    lock (seen)
                    {
                        seen.Write(bytes, 0, count);
                    }

                    _more.Release();
                    if (!keeps())
                    {
                        await to.SendAsync(bytes.AsMemory(0, count));
                    }
                }

                to.Shutdown(SocketShutdown.Send);
            }
            catch (SocketException)
            {
                to.Close(); // the other side has gone
            }
        }
    }
}
