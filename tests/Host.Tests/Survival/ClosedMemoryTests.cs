using System.Text;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Host.Tests.Survival;

/// <summary>The memory of a node that has keys, as another process of the node's own user finds it.</summary>
[Collection(nameof(Alone))]
public sealed class ClosedMemoryTests : IDisposable
{
    private const uint User = 47114;

    private readonly TestFolder _folder = new();
    private readonly Unprivileged _place = new(User);

    public void Dispose()
    {
        _folder.Dispose();
        _place.Dispose();
    }

    [RootFact]
    public async Task Its_own_user_cannot_look_into_it_and_apps_with_pipes_and_commands_work_all_the_same()
    {
        const UnixFileMode Open = UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        File.SetUnixFileMode(_folder.Path, File.GetUnixFileMode(_folder.Path) | Open);
        foreach (bool hasKeys in (bool[])[false, true])
        {
            await LookAsync(hasKeys);
        }
    }

    private async Task LookAsync(bool hasKeys)
    {
        TestCertificates ca = new(_folder);
        TestCertificate server = ca.IssueServer();
        Unprivileged.Run("/bin/chown", $"{User}", server.KeyFile);
        string socket = Path.Combine(_place.Folder, $"control-{hasKeys}.sock");
        string tls = $$"""{ "certificate": "{{server.CertificateFile}}", "key": "{{server.KeyFile}}" }""";
        string app = _folder.Write("app.json", $$"""
            { "name": "shop", "type": "python", "args": "local://{{Repository.Root}}/examples/echo/echo.py", "engine": { "pool-limit": 1 },
              "tasks": { "event": { "type": "native-server", "endpoint": "ipc://{{_place.Folder}}/shop-{{hasKeys}}.sock", "mode": "0666", "events": "*" } } }
            """);
        string config = _folder.Write("node.json", $$"""
            { "state": "{{_place.Folder}}/state-{{hasKeys}}", "ledger": "{{_place.Folder}}/ledger-{{hasKeys}}", "locator": "none", "loops": 1,
              "control": { "endpoint": "ipc://{{socket}}" }, "apps": ["{{app}}"]{{(hasKeys ? $", \"security\": {{ \"tls\": {tls} }}" : "")}} }
            """);
        File.SetUnixFileMode(_place.Folder, File.GetUnixFileMode(_place.Folder) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        string asUser = $"setpriv --reuid {User} --regid {User} --clear-groups";
        using HostProcess serve = HostProcess.Start(_folder, $"serve --config {config}", $"export {_place.Environment};", asUser);
        await serve.UntilAsync("serving: ");

        await using (CocaineClient client = await CocaineClient.ConnectAsync($"ipc://{_place.Folder}/shop-{hasKeys}.sock"))
        {
            byte[] large = Encoding.ASCII.GetBytes(new string('x', 1 << 20)); // more than a socket's buffer, through shared memory
            Assert.Equal(large, await client.CallAsync("echo", large));
        }

        (int code, string output, string errors) = await HostProcess.RunAsync(
            _folder, $"app info shop --node ipc://{socket}", $"export {_place.Environment};", asUser);
        Assert.True(code == 0, output + errors);
        foreach (string secret in (string[])["mem", "fd", "environ", "maps"])
        {
            int read = await RunAsync(asUser, secret == "fd" ? $"ls /proc/{serve.Process.Id}/fd" : $"head -c 0 /proc/{serve.Process.Id}/{secret}");
            Assert.True((read != 0) == hasKeys, $"{secret}: {read}");
        }

        serve.Signal("TERM");
        Assert.Equal(0, await serve.ExitAsync());
    }

    private static async Task<int> RunAsync(string wrapper, string command)
    {
        using System.Diagnostics.Process process = System.Diagnostics.Process.Start("/bin/sh", ["-c", $"exec {wrapper} {command} >/dev/null 2>&1"]);
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
