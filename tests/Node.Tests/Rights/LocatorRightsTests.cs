using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Node.Tests.Rights;

/// <summary>Callers of the locator: the bound on their connections, other rules, tokens, revoked certificates.</summary>
public sealed class LocatorRightsTests : IDisposable
{
    private static readonly byte[] Near = [.. NativePeer.Opening(2, 0xda, 10), .. "dotnet-ech"u8];

    private readonly TestFolder _folder = new();

    private string At => $"ipc://{_folder["locator.sock"]}";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_connections_of_an_identity_have_their_bound_and_end_when_nobody_knows_it_any_more()
    {
        SecurityConfig known = Security.Of($$"""{ "identities": { "me": { "user": "{{Security.OwnUser}}", "connections": 1 } } }""");
        await using TestNode node = TestNode.Start(At, security: known);
        using (NativePeer first = NativePeer.Connect(At), second = NativePeer.Connect(At))
        {
            first.Send([0x93, 1, 6, 0x90]);
            Assert.StartsWith("1 chunk", first.Read(), StringComparison.Ordinal);
            second.Send([0x93, 7, 6, 0x90]);
            Assert.Equal(("7 error 503 me has its 1 connections already", "end"), (second.Read(), second.Read()));
            await node.Node.ChangeRulesAsync(Security.Of("""{ "rights": [ { "who": "@anyone", "locate": "x" } ] }"""));
            Assert.Equal("end", first.Read());
        }

        Assert.Contains("door=locator action=connect reason=connections", node.Log, StringComparison.Ordinal);
        Assert.Contains("closed who=me by=user", node.Log, StringComparison.Ordinal);
        await node.Node.ChangeRulesAsync(known);
        using NativePeer third = NativePeer.Connect(At);
        third.Send([0x93, 9, 6, 0x90]);
        Assert.StartsWith("9 chunk", third.Read(), StringComparison.Ordinal); // the first one does not count any more
    }

    [Fact]
    public async Task Who_may_not_know_of_an_app_is_not_told_its_name_and_a_wrong_token_is_no_way_around()
    {
        await using TestNode node = TestNode.Start(At, security: Security.Of($$"""
            { "identities": { "me": { "token": "{{Security.Kept("t0ken")}}" } }, "rights": [ { "who": "me", "locate": "dotnet-*" }, { "who": "@anyone", "locate": "x" } ] }
            """));
        await node.AddAsync(Security.App("native-server", ["tcp://127.0.0.1:0"]));
        using NativePeer peer = NativePeer.Connect(At);
        peer.Send(Near);
        Assert.Equal("2 error 1 no service named dotnet-ech here", peer.Read());
        peer.Send(WithToken(3));
        Assert.Equal("3 error 401 your token belongs to nobody known here", peer.Read());
        Assert.Contains("door=locator action=locate app=dotnet-echo reason=unknown-token", node.Log, StringComparison.Ordinal);
        await node.Node.ChangeRulesAsync(Security.Of("""{ "rights": [ { "who": "@local", "locate": "dotnet-*" } ] }"""));
        peer.Send([.. NativePeer.Opening(4, 0xda, 10), .. "dotnet-ech"u8]);
        Assert.Equal("4 error 1 no service named dotnet-ech here; did you mean 'dotnet-echo'?", peer.Read());
        peer.Send(WithToken(5));
        Assert.Equal("5 error 401 your token belongs to nobody known here", peer.Read()); // whatever the connection itself may do
    }

    private static byte[] WithToken(ulong channel)
    {
        byte[] call = NativePeer.Call(channel, "dotnet-echo", "", "authorization", "Bearer wrong");
        int rest = NativePeer.Call(channel, "", "").Length - NativePeer.Opening(channel, 0xda, 0).Length; // the request, which a question has not
        return call[..^rest];
    }

    [Fact]
    public async Task A_revoked_client_is_disconnected()
    {
        TestCertificates ca = new(_folder);
        TestCertificate good = ca.Issue("good"), bad = ca.Issue("bad");
        await using TestNode node = TestNode.Start("tcp://127.0.0.1:0", tls: ca.Config(ca.IssueServer(), ca.Revoke("clients.crl", 10)), locatorTls: DoorTls.Mutual);
        string at = node.Node.LocatorEndpoints[0];
        using SecurePeer stays = await SecurePeer.ConnectAsync(at, ca, good), goes = await SecurePeer.ConnectAsync(at, ca, bad);
        await goes.SendAsync([0x93, 1, 6, 0x90]);
        Assert.Equal(0x93, (await goes.ReadAsync())[0]);
        ca.Revoke("clients.crl", 10, bad);
        node.Node.Doors.Certificates.Look();
        await Assert.ThrowsAnyAsync<IOException>(async () => _ = (await goes.ReadAsync()).Length > 0 ? 0 : throw new IOException("the end"));
        await stays.SendAsync([0x93, 1, 6, 0x90]);
        Assert.Equal(0x93, (await stays.ReadAsync())[0]);
        Assert.Contains("door=locator action=connect", node.Log, StringComparison.Ordinal);
    }
}
