using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Daemon;

namespace Cocaine.Fast.Node.Tests.Daemon;

/// <summary>Signatures of requests of the control protocol of 2012: what counts, and each thing that does not.</summary>
public sealed class SignedRequestsTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

    private readonly RSA _deploy = RSA.Create(2048), _next = RSA.Create(2048), _other = RSA.Create(2048);
    private readonly SignedRequests _requests;
    private SealGate? _seals;
    private DateTimeOffset _now = Noon;

    public SignedRequestsTests()
    {
        KeyRing keys = new([Caller("deploy", _deploy), Caller("deploy", _next), Caller("other", _other)], []);
        _seals = new SealGate(keys, 0, new OpeningMemory());
        _requests = new SignedRequests(() => _seals, "host1", new Clock(this));
    }

    public void Dispose()
    {
        _deploy.Dispose();
        _next.Dispose();
        _other.Dispose();
    }

    [Fact]
    public void Both_paddings_and_both_keys_of_a_rotation_count()
    {
        Assert.Equal("deploy", Verify(Request("aaaaaaaaaaaaaaaa"), _deploy, RSASignaturePadding.Pkcs1));
        Assert.Equal("deploy", Verify(Request("bbbbbbbbbbbbbbbb"), _next, RSASignaturePadding.Pss));
        _seals!.Replace(new KeyRing([Caller("deploy", _next)], []));
        Refuses("the signature cannot be verified", Request("cccccccccccccccc"), _deploy);
        _seals = null;
        Refuses("the signature cannot be verified", Request("cccccccccccccccc"), _next);
    }

    [Fact]
    public void A_request_counts_once_here_and_now()
    {
        Verify(Request("aaaaaaaaaaaaaaaa"), _deploy);
        Refuses("the request was carried out before", Request("aaaaaaaaaaaaaaaa"), _next); // the same number by the other key
        Assert.Equal("other", Verify(Request("aaaaaaaaaaaaaaaa", user: "other"), _other)); // numbers of others are others
        Refuses("this node is 'host1'", Request("dddddddddddddddd", node: "host2"), _deploy);
        Refuses("node expected: this one is 'host1'", Request("dddddddddddddddd", node: ""), _deploy);
        foreach (int skewS in (int[])[-61, 61])
        {
            Refuses("the request's time is more than 60 s from this node's", Request("dddddddddddddddd", skewS: skewS), _deploy);
        }

        Refuses("time expected: seconds since 1970", Request("dddddddddddddddd").Replace("\"time\"", "\"date\""), _deploy);
        Refuses("nonce expected: a text of 16 to 256 characters that no other request has", Request("short"), _deploy);
        Verify(Request("dddddddddddddddd", skewS: 60), _deploy);
        _now = Noon.AddSeconds(120); // the last second in which that request's time is right
        Refuses("the request was carried out before", Request("dddddddddddddddd", skewS: 60), _deploy);
    }

    [Fact]
    public void A_request_counts_once_over_a_restart_too()
    {
        using TestFolder folder = new();
        KeyRing keys = new([Caller("deploy", _deploy)], []);
        using (OpeningFile used = OpeningFile.Open(folder["used"]))
        {
            _seals = new SealGate(keys, Noon.ToUnixTimeSeconds(), new OpeningMemory(used));
            Verify(Request("aaaaaaaaaaaaaaaa"), _deploy);
        }

        using OpeningFile again = OpeningFile.Open(folder["used"]);
        _seals = new SealGate(keys, Noon.ToUnixTimeSeconds(), new OpeningMemory(again));
        Refuses("the request was carried out before", Request("aaaaaaaaaaaaaaaa"), _deploy);
        Verify(Request("bbbbbbbbbbbbbbbb", skewS: -30), _deploy); // one of before the start that was never carried out
    }

    [Fact]
    public void Every_changed_byte_and_every_wrong_signature_is_refused_with_one_text()
    {
        string request = Request("aaaaaaaaaaaaaaaa");
        byte[] bytes = Encoding.UTF8.GetBytes(request), signature = Sign(request, _deploy);
        using JsonDocument document = JsonDocument.Parse(request);
        for (int i = 0; i < signature.Length; i++)
        {
            byte[] wrong = [.. signature];
            wrong[i] ^= 1;
            Assert.Equal("the signature cannot be verified",
                Assert.Throws<NodeException>(() => _requests.Verify(bytes, wrong, document.RootElement)).Message);
        }

        for (int i = 0; i < bytes.Length; i++)
        {
            byte[] wrong = [.. bytes];
            wrong[i] ^= 1;
            Assert.Throws<NodeException>(() => _requests.Verify(wrong, signature, document.RootElement));
        }

        Refuses("the signature cannot be verified", request, _other);
        Refuses("the signature cannot be verified", Request("aaaaaaaaaaaaaaaa", user: "nobody"), _deploy);
        Refuses("username expected", Request("aaaaaaaaaaaaaaaa", user: ""), _deploy);
        Assert.StartsWith("signature expected",
            Assert.Throws<NodeException>(() => _requests.Verify(bytes, [], document.RootElement)).Message);
        Assert.Equal("SHA-1 signatures are not accepted: sign with SHA-256", Assert.Throws<NodeException>(() => _requests.Verify(
            bytes, _deploy.SignData(bytes, HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1), document.RootElement)).Message);
        Verify(request, _deploy); // none of all that has used the number
    }

    /// <summary>The door keeps its address when a reload takes the rules away: then nobody may do anything there.</summary>
    [Fact]
    public void A_door_that_other_hosts_reach_is_shut_while_the_node_has_no_rules()
    {
        JsonControlGate gate = new(Doorkeeper.OfNobody, () => _seals);
        using JsonDocument plain = JsonDocument.Parse("""{"version":2}""");
        Assert.True(gate.RightsOf(2, [], [], plain.RootElement).MayControl("create", "app", out _));
        gate.OpenToOthers();
        Assert.False(gate.IsClosed);
        Assert.Throws<NodeException>(() => gate.RightsOf(2, [], [], plain.RootElement));
        string request = Request("eeeeeeeeeeeeeeee", node: OldTaskInfo.Host).Replace(
            $"{Noon.ToUnixTimeSeconds()}", $"{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}");
        using JsonDocument signed = JsonDocument.Parse(request);
        Assert.Equal("the key of 'deploy' belongs to nobody known here", Assert.Throws<NodeException>(() => gate.RightsOf(
            3, Encoding.UTF8.GetBytes(request), Sign(request, _deploy), signed.RootElement)).Message);
    }

    private static CallerKey Caller(string name, RSA key) => new(name, RsaKeyText.Thumbprint(key), key);

    private static byte[] Sign(string request, RSA key, RSASignaturePadding? padding = null) =>
        key.SignData(Encoding.UTF8.GetBytes(request), HashAlgorithmName.SHA256, padding ?? RSASignaturePadding.Pkcs1);

    private string Request(string nonce, string user = "deploy", string node = "host1", int skewS = 0) => $$"""
        {"version":3,"action":"info","username":"{{user}}","node":"{{node}}","time":{{Noon.ToUnixTimeSeconds() + skewS}},"nonce":"{{nonce}}"}
        """;

    private string Verify(string request, RSA key, RSASignaturePadding? padding = null)
    {
        using JsonDocument document = JsonDocument.Parse(request);
        return _requests.Verify(Encoding.UTF8.GetBytes(request), Sign(request, key, padding), document.RootElement);
    }

    private void Refuses(string text, string request, RSA key) =>
        Assert.Equal(text, Assert.Throws<NodeException>(() => Verify(request, key)).Message);

    private sealed class Clock(SignedRequestsTests test) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => test._now;
    }
}
