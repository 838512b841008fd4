using System.Diagnostics;
using Cocaine.Fast.Host.Tests.Survival;

namespace Cocaine.Fast.Host.Tests.Doors;

/// <summary>Other users than root at the control socket of a node that has rules, and the audit of what they did.</summary>
public sealed class ControlRightsTests : IDisposable
{
    private const uint Deployer = 47110, Stranger = 47111;

    private readonly TestFolder _folder = new();

    private string Security => $$"""
        "security": {
          "identities": { "deploy": { "user": "{{Deployer}}" } },
          "rights": [ { "who": "deploy", "control": ["create", "list", "info", "pause", "events"], "apps": "shop*" } ] }
        """;

    public void Dispose() => _folder.Dispose();

    [RootFact]
    public async Task A_user_of_a_rule_controls_what_the_rule_says()
    {
        using ServeProcess serve = await StartAsync("");
        (int code, string output, string errors) = await serve.RunAsync("app", "create", Manifest("shop"));
        Assert.True(code == 0, errors);
        Assert.Equal(0, (await serve.RunAsync("app", "create", Manifest("stock"))).Code);
        (code, output, errors) = await AsAsync(serve, Deployer, "app list");
        Assert.True(code == 0 && output.Contains("shop") && !output.Contains("stock"), output + errors);
        Assert.Equal((0, ""), await FailureAsync(serve, "app pause shop"));
        Assert.Equal((0, ""), await FailureAsync(serve, "app info shop"));
        Assert.Contains("deploy may not delete shop", (await FailureAsync(serve, "app delete shop")).Error);
        Assert.Contains("deploy may not pause stock", (await FailureAsync(serve, "app pause stock")).Error);
        Assert.Contains("deploy may not info stock", (await FailureAsync(serve, "app info stock")).Error);
        Assert.Contains("deploy may not create other", (await FailureAsync(serve, $"app create {Manifest("other")}")).Error);
        Assert.Equal((0, ""), await FailureAsync(serve, $"app create {Manifest("shop2")}"));
        (_, output, _) = await AsAsync(serve, Deployer, "events");
        Assert.True(output.Contains("shop") && !output.Contains("stock"), output);
        string log = serve.Log;
        Assert.Contains($"warn: audit[565] denied who=deploy by=user peer=user:{Deployer} door=control action=delete app=shop rule=none", log);
        Assert.Contains($"info: audit[566] allowed who=deploy by=user peer=user:{Deployer} door=control action=create app=shop2 runs=code", log);
        Assert.Contains("allowed who=user:0 by=user peer=user:0 door=control action=create app=stock runs=code", log); // root needs no rule
    }

    [RootFact]
    public async Task A_user_that_no_rule_names_does_not_come_in()
    {
        using ServeProcess serve = await StartAsync("");
        Assert.NotEqual(0, (await AsAsync(serve, Stranger, "app list")).Code);
        await serve.UntilLogAsync($"denied who=@local by=nothing peer=user:{Stranger} door=control action=connect rule=none");
        Assert.Equal(0, (await AsAsync(serve, Deployer, "app list")).Code);
        Assert.Equal("closed", DoorTable.Cell("control socket", "other user"));
        Assert.Equal("yes", DoorTable.Cell("control socket", "user of an identity"));
    }

    [RootFact]
    public async Task A_reload_takes_the_socket_from_a_user_that_is_connected()
    {
        using ServeProcess serve = await StartAsync("");
        Assert.Equal(0, (await serve.RunAsync("app", "create", Manifest("shop"))).Code);
        string[] words = ["--reuid", $"{Deployer}", "--regid", $"{Deployer}", "--clear-groups", ServeProcess.Program, "events", "-f", "--node", serve.Endpoint];
        using Process follower = Process.Start(new ProcessStartInfo("setpriv", words) { RedirectStandardOutput = true, Environment = { ["DOTNET_EnableDiagnostics"] = "0" } })!;
        Assert.NotNull(await follower.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)));
        string config = _folder["node.json"];
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"who\": \"deploy\"", "\"who\": \"@loopback\"", StringComparison.Ordinal));
        serve.Signal("HUP");
        await follower.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(3, follower.ExitCode);
        await serve.UntilLineAsync("closed who=deploy by=user", "door=control action=connect reason=rules-changed");
        Assert.Equal(0, (await serve.RunAsync("app", "list")).Code);
    }

    [RootFact]
    public async Task Users_of_a_rule_leave_places_for_root()
    {
        using ServeProcess serve = await StartAsync("");
        string script = $"""
            import socket, sys
            peers = []
            for i in range(193):
                peers.append(socket.socket(socket.AF_UNIX))
                peers[-1].connect('{serve.Endpoint["ipc://".Length..]}')
            peers[-1].sendall(bytes.fromhex('{Convert.ToHexString(NativePeer.Call(7, "list", "{}"))}'))
            print(peers[-1].recv(999).decode('latin1'), flush=True)
            sys.stdin.read()
            """;
        string[] words = ["--reuid", $"{Deployer}", "--regid", $"{Deployer}", "--clear-groups", "/usr/bin/python3", "-c", script];
        using Process others = Process.Start(new ProcessStartInfo("setpriv", words) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        Assert.Contains("the control socket has too many connections", await others.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Equal(0, (await serve.RunAsync("app", "list")).Code);
        Assert.Contains("there are 192 already", serve.Log);
        others.StandardInput.Close();
        await others.WaitForExitAsync();
    }

    [RootFact]
    public async Task Without_a_rule_for_them_the_socket_is_closed_to_others()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(serve.Endpoint["ipc://".Length..]));
    }

    [Fact]
    public async Task The_audit_has_a_file_of_its_own_for_its_owner_alone_and_goes_on_in_another_one_when_it_is_renamed()
    {
        string audit = _folder["audit.log"];
        using ServeProcess serve = await StartAsync($$""", "log": { "level": "error", "audit": "{{audit}}" }""", until: null);
        await RunProcess.UntilAsync(() => File.Exists(serve.Endpoint["ipc://".Length..]));
        Assert.Equal(0, (await serve.RunAsync("app", "list")).Code);
        await RunProcess.UntilAsync(() => File.ReadAllText(audit).Contains("door=control action=list"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(audit));
        File.Move(audit, audit + ".1");
        Assert.Equal(0, (await serve.RunAsync("events")).Code);
        await RunProcess.UntilAsync(() => File.Exists(audit) && File.ReadAllText(audit).Contains("door=control action=events"));
        Assert.DoesNotContain("audit[566]", serve.Log);
    }

    [Fact]
    public async Task A_file_for_the_audit_that_others_may_read_is_refused()
    {
        string audit = _folder.Write("audit.log", "");
        File.SetUnixFileMode(audit, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        using ServeProcess serve = await StartAsync($$""", "log": { "audit": "{{audit}}" }""", until: "cannot start: ");
        Assert.Contains($"log.audit: {audit} can be used by others than its owner (mode 0640): chmod 600", serve.Log);
        Assert.Equal(1, await serve.ExitAsync());
    }

    [Fact]
    public async Task A_config_with_tokens_that_others_may_read_is_refused_and_a_reload_of_it_changes_nothing()
    {
        const string Token = """ "security": { "identities": { "batch": { "token": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" } } } """;
        using (ServeProcess refused = ServeProcess.Start(_folder, Token))
        {
            await refused.UntilLogAsync("cannot start: ");
            Assert.Contains("node.json has tokens in security.identities, and it can be reached by every user (mode 0644): chmod 600", refused.Log);
            Assert.Equal(1, await refused.ExitAsync());
        }

        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        string config = _folder["node.json"];
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"loops\"", $"{Token}, \"loops\"", StringComparison.Ordinal));
        serve.Signal("HUP");
        await serve.UntilLogAsync("nothing was changed");
        Assert.DoesNotContain("audit[", serve.Log);
        File.SetUnixFileMode(config, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        serve.Signal("HUP");
        await serve.UntilLogAsync("rules generation=1 identities=1 rules=0 security=on");
    }

    private async Task<ServeProcess> StartAsync(string more, string? until = "serving: ")
    {
        const UnixFileMode Open = UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        File.SetUnixFileMode(_folder.Path, File.GetUnixFileMode(_folder.Path) | Open);
        ServeProcess serve = ServeProcess.Start(_folder, Security + more);
        if (until is not null)
        {
            await serve.UntilLogAsync(until);
        }

        return serve;
    }

    private string Manifest(string name)
    {
        string file = _folder.Manifest(name);
        File.WriteAllText(file, File.ReadAllText(file).Replace("\"python\"", $"\"python\", \"name\": \"{name}\"", StringComparison.Ordinal));
        return file;
    }

    private async Task<(int Code, string Error)> FailureAsync(ServeProcess serve, string words)
    {
        (int code, _, string errors) = await AsAsync(serve, Deployer, words);
        return (code, errors);
    }

    private Task<(int Code, string Output, string Errors)> AsAsync(ServeProcess serve, uint user, string words) => HostProcess.RunAsync(
        _folder, $"{words} --node {serve.Endpoint}", "cd /; export DOTNET_EnableDiagnostics=0;", $"setpriv --reuid {user} --regid {user} --clear-groups");
}
