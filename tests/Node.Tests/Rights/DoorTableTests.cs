using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Tests.Rights;

/// <summary>The table of doors and peers in docs/security.md, cell by cell: each peer at each door of an app, and at the locator.</summary>
public sealed class DoorTableTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly SealKeys _keys = new("me");
    private readonly TestCertificates _ca;

    public DoorTableTests() => _ca = new TestCertificates(_folder);

    /// <summary>The cells that have a peer; the doors of control have tests of their own, with processes.</summary>
    public static TheoryData<string, string> Cells
    {
        get
        {
            TheoryData<string, string> cells = [];
            foreach (string door in (string[])["native-server", "raw-server", "info of an app", "locator"])
            {
                foreach (string peer in DoorTable.Peers.Where(peer => DoorTable.Cell(door, peer) != "–"))
                {
                    cells.Add(door, peer);
                }
            }

            return cells;
        }
    }

    public void Dispose()
    {
        _keys.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task The_page_says_what_the_door_answers(string door, string peer)
    {
        bool hasUser = peer == "user of an identity";
        string user = hasUser ? $"\"{Security.OwnUser}\"" : "\"47115\"";
        SecurityConfig? rules = peer == "without rules" ? null : Security.Of($$"""
            { "identities": { "me": { "user": {{user}}, "token": "{{Security.Kept("t0ken")}}", "certificate": "DNS:me.shop", "rsa": "me" } },
              "rights": [ { "who": "me", "call": { "*": "*" } } ] }
            """);
        bool isUnix = hasUser || peer is "token on a Unix socket" or "other user";
        bool isSecured = peer.Contains("certificate");
        string locator = isUnix ? $"ipc://{_folder["locator.sock"]}" : "tcp://127.0.0.1:0";
        await using TestNode node = TestNode.Start(
            locator, security: rules, keysDirectory: _keys.Folder, tls: _ca.Config(_ca.IssueServer()), locatorTls: isSecured ? DoorTls.Mutual : DoorTls.Off);
        RunningApp app = await node.AddAsync(App(door, isUnix, isSecured, peer == "sealed by an identity"));
        string at = door == "locator" ? node.Node.LocatorEndpoints[0] : app.Endpoints[0].Endpoint;
        string answer = peer switch
        {
            "sealed by an identity" => await SealedAsync(at),
            _ when isSecured => await SecuredAsync(door, at, peer == "certificate of an identity" ? "me" : "other"),
            _ => Plain(door, at, peer == "token on a Unix socket"),
        };
        Assert.Equal(DoorTable.Cell(door, peer), answer);
    }

    [Fact]
    public void Each_door_of_the_page_has_a_test() =>
        Assert.Equal(
            ["native-server", "raw-server", "info of an app", "locator", "ZeroMQ task", "control socket", "control over TCP", "service node", "control protocol of 2012", "pubsub"],
            DoorTable.Doors);

    [NeedsFact("python3", "python3-zmq")]
    public async Task The_page_says_what_a_task_of_ZeroMQ_answers_without_a_seal()
    {
        foreach (string peer in (string[])["without rules", "nobody"])
        {
            await using TestNode node = TestNode.Start(security: peer == "nobody" ? Security.Of("""{ "rights": [ { "who": "@local", "call": { "*": "*" } } ] }""") : null);
            RunningApp app = await node.AddAsync(Security.App("zeromq-server", ["tcp://127.0.0.1:0"], "echo"));
            using ZeroMqPeer client = new();
            await client.OpenAsync("s", "REQ", app.Endpoints[0].Endpoint);
            await client.SendTextAsync("s", "x");
            string answer = string.Join(' ', await client.ReceiveTextAsync("s"));
            Assert.Equal(DoorTable.Cell("ZeroMQ task", peer), answer.Contains("401", StringComparison.Ordinal) ? "401" : answer == "x" ? "yes" : answer);
        }
    }

    [NeedsFact("python3", "python3-zmq")]
    public async Task The_page_says_that_everybody_reads_a_feed()
    {
        foreach (string peer in (string[])["without rules", "nobody"])
        {
            await using TestNode node = TestNode.Start(security: peer == "nobody" ? Security.Of("""{ "rights": [ { "who": "@local", "call": { "*": "*" } } ] }""") : null);
            RunningApp app = await node.AddAsync(Security.App("native-server", ["tcp://127.0.0.1:0"]) with { PubsubEndpoint = "tcp://127.0.0.1:0" });
            using ZeroMqPeer client = new();
            await client.OpenAsync("s", "SUB", app.PubsubEndpoints[0], topics: [""]);
            string[] field = await client.ReceiveTextAsync("s");
            Assert.Equal(DoorTable.Cell("pubsub", peer), field[0].StartsWith("dotnet-echo ", StringComparison.Ordinal) ? "yes" : field[0]);
        }
    }

    private AppManifest App(string door, bool isUnix, bool isSecured, bool isSealed)
    {
        string endpoint = isUnix && door != "locator" ? $"ipc://{_folder["app.sock"]}" : "tcp://127.0.0.1:0";
        (string, object)[] keys = isSecured ? [("tls", "mutual")] : isSealed ? [("sealed", "accepted")] : [];
        return door == "raw-server" ? RawPeer.DotNetApp("echo", "line", endpoint: endpoint, keys: keys) : Security.App("native-server", [endpoint], "event", keys);
    }

    private async Task<string> SealedAsync(string at)
    {
        await using CocaineClient client = await CocaineClient.ConnectAsync(at, _keys.Options("me", "dotnet-echo"));
        return Encoding.UTF8.GetString(await client.CallAsync("echo", "x"u8.ToArray())) == "x" ? "yes" : "another answer";
    }

    private async Task<string> SecuredAsync(string door, string at, string name)
    {
        using SecurePeer peer = await SecurePeer.ConnectAsync(at, _ca, _ca.Issue(name, new CertificateForm { Dns = [$"{name}.shop"] }));
        await peer.SendAsync(Question(door, withToken: false));
        StringBuilder answer = new();
        while (Word(door, answer.ToString()) == "")
        {
            byte[] next = await peer.ReadAsync();
            Assert.NotEmpty(next);
            answer.Append(Encoding.Latin1.GetString(next));
        }

        return Word(door, answer.ToString());
    }

    private static string Plain(string door, string at, bool withToken)
    {
        using NativePeer peer = NativePeer.Connect(at);
        peer.Send(Question(door, withToken));
        byte[] buffer = new byte[4096];
        StringBuilder answer = new();
        while (Word(door, answer.ToString()) == "")
        {
            int count = peer.Socket.Receive(buffer);
            Assert.True(count > 0, answer.ToString());
            answer.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }

        return Word(door, answer.ToString());
    }

    private static byte[] Question(string door, bool withToken) => door switch
    {
        "raw-server" => "an answer\n"u8.ToArray(),
        "info of an app" => [0x93, 1, 1, 0x90],
        "locator" => withToken
            ? [0x94, 1, 0, 0x91, .. Text("dotnet-echo"), 0x91, 0x93, 0xc2, .. Text("authorization"), .. Text("Bearer t0ken")]
            : [0x93, 1, 0, 0x91, .. Text("dotnet-echo")],
        _ => withToken ? NativePeer.Call(1, "echo", "an answer", "authorization", "Bearer t0ken") : NativePeer.Call(1, "echo", "an answer"),
    };

    /// <summary>The page's word for the answer; empty while more bytes are to come.</summary>
    private static string Word(string door, string answer) => answer switch
    {
        _ when answer.Contains("this door wants to know") || answer.Contains("names nobody known") => "401",
        _ when answer.Contains("may not") => "403",
        _ when answer.Contains("no service named") => "not here",
        _ when door == "locator" && answer.Contains("127.0.0.1") => "yes",
        _ when door == "info of an app" && answer.Contains("dotnet-echo") => "yes",
        _ => answer.Contains("an answer") ? "yes" : "",
    };

    private static byte[] Text(string text) => [0xd9, (byte)text.Length, .. Encoding.ASCII.GetBytes(text)];
}
