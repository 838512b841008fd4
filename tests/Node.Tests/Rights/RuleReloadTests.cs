using Cocaine.Fast.Node.Tests.Daemon;

namespace Cocaine.Fast.Node.Tests.Rights;

/// <summary>Rules that change while clients are connected.</summary>
public sealed class RuleReloadTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Rights_come_and_go_for_connections_that_stay()
    {
        await using TestDaemon daemon = await StartAsync(Rules("me", "echo"));
        using NativePeer peer = NativePeer.Connect(Endpoint);
        Assert.Equal("chunk x", peer.Ask(1, "echo"));
        await ReloadAsync(daemon, Rules("me", "other"));
        Assert.Equal("error 403 me may not call 'echo' of dotnet-echo", peer.Ask(2, "echo"));
        await ReloadAsync(daemon, Rules("me", "*"));
        Assert.Equal("chunk x", peer.Ask(3, "echo"));
        await ReloadAsync(daemon, "");
        Assert.Equal("chunk x", peer.Ask(4, "echo"));
    }

    [Fact]
    public async Task Rights_of_a_place_come_and_go_as_well()
    {
        await using TestDaemon daemon = await StartAsync(Place("echo"));
        using NativePeer peer = NativePeer.Connect(Endpoint);
        Assert.Equal("chunk x", peer.Ask(1, "echo"));
        await ReloadAsync(daemon, Place("other"));
        Assert.StartsWith("error 401", peer.Ask(2, "echo"), StringComparison.Ordinal);
        await ReloadAsync(daemon, Place("*"));
        Assert.Equal("chunk x", peer.Ask(3, "echo"));
    }

    [Fact]
    public async Task A_connection_counts_for_the_identity_that_it_has_by_the_rules_of_now()
    {
        await using TestDaemon daemon = await StartAsync(Rules("me", "*", connections: 1));
        using NativePeer first = NativePeer.Connect(Endpoint);
        Assert.Equal("chunk x", first.Ask(1, "echo"));
        await ReloadAsync(daemon, Rules("other", "*", connections: 1));
        Assert.Equal("chunk x", first.Ask(2, "echo"));
        using NativePeer second = NativePeer.Connect(Endpoint);
        Assert.Equal("error 503 other has its 1 connections already", second.Ask(1, "echo"));
    }

    [Fact]
    public async Task A_caller_that_is_nobody_any_more_is_closed()
    {
        await using TestDaemon daemon = await StartAsync(Rules("me", "*"));
        using NativePeer idle = NativePeer.Connect(Endpoint), busy = NativePeer.Connect(Endpoint);
        Assert.Equal("chunk x", idle.Ask(1, "echo"));
        Assert.Equal("chunk x", busy.Ask(1, "echo"));
        await ReloadAsync(daemon, """ "security": { "rights": [ { "who": "@local", "call": { "*": "*" } } ] }, """);
        Assert.Equal("end", idle.Read());
        Assert.Equal("end", busy.Read());
        Assert.Contains("door=dotnet-echo/event action=connect reason=rules-changed", daemon.Log);
        using NativePeer again = NativePeer.Connect(Endpoint);
        Assert.Equal("chunk x", again.Ask(1, "echo")); // as anybody on the socket
    }

    [Fact]
    public async Task A_node_that_gets_rules_asks_those_that_are_connected_too()
    {
        await using TestDaemon daemon = await StartAsync("");
        using NativePeer peer = NativePeer.Connect(Endpoint);
        Assert.Equal("chunk x", peer.Ask(1, "echo"));
        await ReloadAsync(daemon, """ "security": { "rights": [ { "who": "@loopback", "call": { "*": "*" } } ] }, """);
        Assert.StartsWith("error 401 this door wants to know who calls", peer.Ask(2, "echo"));
    }

    [Fact]
    public async Task Users_may_connect_to_the_control_socket_as_long_as_a_rule_is_for_them()
    {
        const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using TestDaemon daemon = await StartAsync("");
        string socket = _folder["control.sock"];
        Assert.Equal(Own, File.GetUnixFileMode(socket));
        await ReloadAsync(daemon, """ "security": { "rights": [ { "who": "@local", "control": "list" } ] }, """);
        Assert.NotEqual(Own, File.GetUnixFileMode(socket));
        await ReloadAsync(daemon, Rules("me", "*"));
        Assert.Equal(Own, File.GetUnixFileMode(socket));
    }

    private string Endpoint => $"ipc://{_folder["app.sock"]}";

    private static string Place(string events) =>
        $$""" "security": { "rights": [ { "who": "@local", "call": { "dotnet-echo": "{{events}}" } } ] }, """;

    private static string Rules(string name, string events, int connections = 100) => $$"""
        "security": { "identities": { "{{name}}": { "user": "{{Security.OwnUser}}", "connections": {{connections}} } },
                      "rights": [ { "who": "{{name}}", "call": { "dotnet-echo": "{{events}}" } } ] },
        """;

    private async Task<TestDaemon> StartAsync(string more)
    {
        TestDaemon daemon = await TestDaemon.StartAsync(_folder, more);
        await daemon.Daemon.Node.AddAsync(Security.App("native-server", [Endpoint]));
        return daemon;
    }

    private Task ReloadAsync(TestDaemon daemon, string more) => daemon.Daemon.ReloadAsync(TestDaemon.Config(_folder, more));
}
