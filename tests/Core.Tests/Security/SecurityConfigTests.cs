using System.Security.Cryptography;
using System.Text;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Core.Tests.Security;

/// <summary>The section <c>security</c> of a config, as its rules decide.</summary>
public class SecurityConfigTests
{
    private static readonly string Token = Convert.ToHexString(SHA256.HashData("a token"u8));

    private static readonly string Whole = $$"""
        { "security": {
          "identities": {
            "billing": { "certificate": ["URI:spiffe://shop/billing", "DNS:billing.shop"], "rsa": "billing", "rate": 2000, "connections": 64 },
            "deploy": { "user": ["deployer", "77", "gone"], "certificate": "CN:deploy" },
            "batch": { "token": "sha256:{{Token}}" } },
          "rights": [
            { "who": ["billing"], "call": { "shop": ["invoice", "refund.*"] }, "locate": ["stock"] },
            { "who": "deploy", "control": ["create", "list"], "apps": ["shop*"] },
            { "who": ["@loopback", "batch"], "call": { "*": "*" } } ] } }
        """;

    private static readonly SecurityConfig Config = Read(Whole);
    private static readonly SecurityRules Rules = new(Config, 1, static name => name == "deployer" ? 1001u : null);

    [Fact]
    public void Every_key_is_read()
    {
        Identity billing = Config.Identities[0];
        Assert.Equal(("billing", 2000, 64), (billing.Name, billing.CallsPerSecond, billing.MaxConnections));
        Assert.Equal(["URI:spiffe://shop/billing", "DNS:billing.shop"], billing.Certificates);
        Assert.Equal(["billing"], billing.RsaKeys);
        Assert.Equal(["deployer", "77", "gone"], Config.Identities[1].Users);
        Assert.Equal(Token, Convert.ToHexString(Assert.Single(Config.Identities[2].TokenHashes)));
        Assert.Equal(3, Config.Rights.Count);
        Assert.True(Config.HasRules);
        Assert.False(Read("{}").HasRules);
        Assert.False(Read("""{ "security": {} }""").HasRules);
    }

    [Fact]
    public void An_identity_is_known_by_its_own_means_alone()
    {
        Assert.Equal("billing", Rules.OfCertificate(Named("URI:spiffe://shop/billing"))?.Name);
        Assert.Null(Rules.OfCertificate(Named("URI:spiffe://shop/billing/more")));
        Assert.Null(Rules.OfCertificate(Named("CN:billing")));
        Assert.Equal("billing", Rules.OfRsaKey("billing")?.Name);
        Assert.Null(Rules.OfRsaKey("deploy"));
        Assert.Equal(("deploy", "deploy", null), (Rules.OfUser(1001)?.Name, Rules.OfUser(77)?.Name, Rules.OfUser(0)?.Name));
        Assert.Equal(["gone"], Rules.UnknownUsers);
        Assert.Equal("batch", Rules.OfToken("a token"u8)?.Name);
        Assert.Null(Rules.OfToken("a tokem"u8));
        Assert.Null(Rules.OfToken(""u8));
    }

    [Fact]
    public void A_certificate_with_the_names_of_two_identities_is_nobodys()
    {
        SecurityRules two = new(Read("""
            { "security": { "identities": { "a": { "certificate": "DNS:a" }, "b": { "certificate": "DNS:b" } } } }
            """), 1, static _ => null);
        Assert.Equal("a", two.OfCertificate(Named("DNS:a", "DNS:c"))?.Name);
        Assert.Null(two.OfCertificate(Named("DNS:a", "DNS:b")));
    }

    [Fact]
    public void A_common_name_counts_only_without_alternative_names()
    {
        Assert.Equal(["CN:deploy"], PeerCertificate.Of([], [], [], false, "deploy", "1").Names);
        Assert.Empty(PeerCertificate.Of([], [], [], true, "deploy", "1").Names);
        Assert.Equal(["URI:u", "DNS:d", "EMAIL:e"], PeerCertificate.Of(["u"], ["d"], ["e"], true, "deploy", "1").Names);
        Assert.Equal("5e11", PeerCertificate.Of([], [], [], true, null, "005E11").SerialHex);
        Assert.Equal("0", PeerCertificate.Of([], [], [], true, null, "00").SerialHex);
    }

    [Fact]
    public void Rules_give_rights_and_nothing_else_does()
    {
        Caller billing = Is("billing"), deploy = Is("deploy");
        Assert.True(Rules.MayCall(in billing, "shop", "refund.all"u8));
        Assert.True(Rules.MayCall(in billing, "shop", "invoice"u8));
        Assert.False(Rules.MayCall(in billing, "shop", "invoices"u8));
        Assert.False(Rules.MayCall(in billing, "stock", "invoice"u8));
        Assert.Equal((true, true, false), (Rules.MayLocate(in billing, "shop"), Rules.MayLocate(in billing, "stock"), Rules.MayLocate(in billing, "x")));
        Assert.True(Rules.MayControl(in deploy, "create", "shop2"));
        Assert.False(Rules.MayControl(in deploy, "create", "stock"));
        Assert.False(Rules.MayControl(in deploy, "delete", "shop2"));
        Assert.True(Rules.MayControl(in deploy, "list", null));
        Assert.False(Rules.MayControl(in billing, "list", null));
        Caller loopback = new(null, CallerPlace.Loopback), local = new(null, CallerPlace.Local), network = new(null, CallerPlace.Network);
        Assert.True(Rules.MayCall(in loopback, "any", "event"u8));
        Assert.False(Rules.MayCall(in local, "any", "event"u8));
        Assert.False(Rules.MayCall(in network, "any", "event"u8));
        Assert.True(SecurityRules.Off.MayCall(in network, "any", "event"u8));
    }

    private static Caller Is(string name) => new(Config.Identities.Single(one => one.Name == name), CallerPlace.Network);

    private static PeerCertificate Named(params string[] names)
    {
        string[] Of(string prefix) => [.. names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(name => name[prefix.Length..])];
        return PeerCertificate.Of(Of("URI:"), Of("DNS:"), Of("EMAIL:"), false, Of("CN:").SingleOrDefault(), "1");
    }

    private static SecurityConfig Read(string text)
    {
        ConfigResult result = ConfigReader.Read(Encoding.UTF8.GetBytes(text), "/etc/node.json");
        Assert.Empty(result.Problems);
        return result.Config!.Security;
    }
}
