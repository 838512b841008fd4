namespace Cocaine.Fast.Host.Tests.Survival;

/// <summary>An endpoint with a name, on a machine that has only some of the name's addresses: a container without IPv6, for example.</summary>
public sealed class NamedEndpointTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [RootFact]
    public async Task The_addresses_that_there_are_serve_a_name_and_a_name_without_any_is_a_failed_start()
    {
        string hosts = _folder.Write("hosts", "::1 both\n127.0.0.1 both\n::1 none\n");
        const string LoopbackUp =
            "import socket, fcntl, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sH14s', b'lo', 0x49, b''))";
        string wrapper = "unshare -n -m sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; "
            + $"/usr/bin/python3 -c \"{LoopbackUp.Replace("'", "'\\''")}\" && mount --bind {hosts} /etc/hosts && exec \"$0\" \"$@\"'";
        using (HostProcess node = HostProcess.Start(_folder, Words("both"), wrapper: wrapper))
        {
            await node.UntilReadyAsync();
            node.Signal("TERM");
            Assert.Equal(0, await node.ExitAsync());
        }

        (int code, _, string errors) = await HostProcess.RunAsync(_folder, Words("none"), wrapper: wrapper);
        Assert.Equal(1, code);
        Assert.Contains("cannot listen on tcp://none:0: [::1]:0: Cannot assign requested address", errors);
    }

    private string Words(string host)
    {
        string manifest = _folder.Manifest(host);
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("tcp://127.0.0.1:0", $"tcp://{host}:0"));
        return $"run {manifest} --locator none --ledger-folder {_folder["ledger"]}";
    }
}
