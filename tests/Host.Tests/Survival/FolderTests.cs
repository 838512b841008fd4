using System.Diagnostics;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Tests.Survival;

/// <summary>Sockets, apps and records go into folders only that nobody else can change, and what is wrong with one is told in a line.</summary>
[Collection(nameof(Alone))]
public sealed class FolderTests : IDisposable
{
    private const uint Other = 61_234;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Another user makes the folder first, as everybody may in /tmp: our user's node must not use it, and says so without a stack.</summary>
    [RootFact]
    public async Task A_node_takes_no_folder_that_another_user_made()
    {
        const uint Own = Other + 1;
        string shared = Directory.CreateDirectory(_folder["shared"]).FullName, trap = Path.Combine(shared, $"cocaine-fast-{Own}");
        Unprivileged.Run("/bin/chmod", "0755", _folder.Path);
        Unprivileged.Run("/bin/chmod", "1777", shared);
        using Unprivileged place = new(Own);
        string state = $"\"state\": \"{place.Folder}/state\", \"ledger\": \"{place.Folder}/ledger\", \"locator\": \"none\"";
        foreach (string mode in new[] { "0777", "0700" })
        {
            Directory.CreateDirectory(trap);
            Unprivileged.Run("/bin/chown", $"{Other}", trap);
            Unprivileged.Run("/bin/chmod", mode, trap);
            string[] configs =
            [
                $"{{ {state}, \"control\": {{ \"endpoint\": \"ipc://{trap}/control.sock\" }} }}",
                $"{{ {state}, \"runtime\": \"{trap}\" }}",
                $"{{ \"state\": \"{trap}\", \"locator\": \"none\", \"runtime\": \"{place.Folder}/run\" }}",
            ];
            foreach (string config in configs)
            {
                (int code, _, string errors) = await AsAsync(Own, place, $"serve --config {_folder.Write("node.json", config)}");
                Assert.Equal(1, code);
                Assert.Contains($"it belongs to user {Other}", errors);
                Assert.DoesNotContain("   at ", errors);
            }

            (int ended, _, string text) = await AsAsync(
                Own, place, $"run {HostProcess.Echo} --locator none --ledger-folder {place.Folder}/l --runtime-folder {trap}");
            Assert.Equal(1, ended);
            Assert.Contains($"the runtime folder: {trap} cannot be trusted: it belongs to user {Other}", text);
        }
    }

    /// <summary>A daemon that another user runs in our place would get our manifests.</summary>
    [RootFact]
    public async Task A_command_does_not_talk_to_a_node_of_another_user()
    {
        using Unprivileged theirs = new(Other), own = new(Other + 1);
        Unprivileged.Run("/bin/chmod", "0755", theirs.Folder);
        Unprivileged.Run("/bin/chmod", "0755", _folder.Path);
        string socket = $"{theirs.Folder}/control.sock";
        string listens = $"import socket, os, time; s = socket.socket(socket.AF_UNIX); s.bind('{socket}'); os.chmod('{socket}', 0o666); s.listen(); "
            + "print('listens', flush=True); c = s.accept(); time.sleep(600)";
        using Process node = Process.Start(new ProcessStartInfo(
            "/usr/bin/setpriv", ["--reuid", $"{Other}", "--regid", $"{Other}", "--clear-groups", "/usr/bin/python3", "-c", listens])
        {
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("listens", await node.StandardOutput.ReadLineAsync());
        (int code, _, string errors) = await AsAsync(Other + 1, own, $"app list --node ipc://{socket}");
        Assert.NotEqual(0, code);
        node.Kill();
        Assert.Contains($"a program of user {Other} listens", errors);
    }

    [RootFact]
    public async Task A_read_only_run_has_its_error_named_and_a_way_out()
    {
        string words = $"run {HostProcess.Echo} --locator none --ledger-folder {_folder["ledger"]}";
        const string Sealed = "unshare -m sh -c 'mount -t tmpfs none /run && mount -o remount,ro /run && exec \"$0\" \"$@\"'";
        using (HostProcess node = HostProcess.Start(_folder, words, wrapper: Sealed))
        {
            await node.UntilReadyAsync(); // /tmp is where it goes then
            node.Signal("TERM");
            Assert.Equal(0, await node.ExitAsync());
        }

        using (HostProcess node = HostProcess.Start(_folder, words, $"export COCAINE_RUNTIME_DIR={_folder["rt"]};", Sealed))
        {
            await node.UntilReadyAsync();
            Assert.True(Directory.Exists(_folder["rt"]));
            node.Signal("TERM");
            Assert.Equal(0, await node.ExitAsync());
        }

        (int code, _, string errors) = await HostProcess.RunAsync(_folder, $"{words} --runtime-folder /run/x", wrapper: Sealed);
        Assert.Equal(1, code);
        Assert.Contains("Read-only file system", errors);
        Assert.Contains("COCAINE_RUNTIME_DIR", errors);

        // Also when the folder is there from before, and what it lies on is read-only since.
        const string Left = "unshare -m sh -c 'mount -t tmpfs none /run && mkdir -m 700 /run/x && mount -o remount,ro /run && exec \"$0\" \"$@\"'";
        (code, _, errors) = await HostProcess.RunAsync(_folder, $"{words} --runtime-folder /run/x", wrapper: Left);
        Assert.Equal(1, code);
        Assert.Contains("/run/x cannot be written: Read-only file system (EROFS); choose another", errors);

        string manifest = _folder.Manifest("sealed");
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("tcp://127.0.0.1:0", "ipc:///run/x.sock"));
        (code, _, errors) = await HostProcess.RunAsync(
            _folder, $"run {manifest} --locator none --ledger-folder {_folder["ledger"]} --runtime-folder {_folder["rt"]}", wrapper: Sealed);
        Assert.Equal(1, code);
        Assert.Contains("cannot listen on ipc:///run/x.sock: Read-only file system (EROFS)", errors);
    }

    [Fact]
    public async Task A_folder_that_is_too_deep_for_sockets_is_told_with_what_to_do()
    {
        string deep = _folder[new string('d', 90)];
        (int code, _, string errors) = await HostProcess.RunAsync(
            _folder, $"run {HostProcess.Echo} --locator none --ledger-folder {_folder["ledger"]}", $"export COCAINE_RUNTIME_DIR={deep};");
        Assert.Equal(1, code);
        Assert.Contains("bytes too long: the path of a Unix socket has at most 107", errors);
        Assert.Contains("COCAINE_RUNTIME_DIR", errors);
    }

    [Fact]
    public async Task A_control_socket_that_was_removed_is_made_again()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        string socket = serve.Endpoint["ipc://".Length..];
        await using NodeControlClient before = await serve.ConnectAsync();
        File.Delete(socket);
        Assert.Equal(3, (await serve.RunAsync("app", "list")).Code);
        serve.Signal("HUP");
        await serve.UntilLogAsync("was removed by somebody, and is made again");
        Assert.Equal(0, (await serve.RunAsync("app", "list")).Code);
        await before.ListAsync(); // who was connected still is
        File.Delete(socket);
        File.WriteAllText(socket, "somebody's");
        serve.Signal("HUP");
        await serve.UntilLogAsync("cannot be made again");
        Assert.Equal("somebody's", File.ReadAllText(socket));
        serve.Signal("TERM");
        Assert.Equal(0, await serve.ExitAsync());
        Assert.Equal("somebody's", File.ReadAllText(socket));
    }

    [Fact]
    public async Task Workers_start_after_their_folder_was_removed()
    {
        string runtime = _folder["rt"];
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, $"\"runtime\": \"{runtime}\"");
        Assert.Equal(0, (await serve.RunAsync("app", "create", _folder.Manifest("a", 1))).Code);
        Directory.Delete(runtime, recursive: true);
        Assert.Equal(0, (await serve.RunAsync("app", "replace", _folder.Manifest("a", 2))).Code);
    }

    private Task<(int Code, string Output, string Errors)> AsAsync(uint user, Unprivileged place, string words) => HostProcess.RunAsync(
        _folder, words, $"export {place.Environment};", $"setpriv --reuid {user} --regid {user} --clear-groups");
}
