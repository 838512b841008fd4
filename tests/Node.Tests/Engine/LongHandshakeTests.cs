using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Node.Tests.Engine;

/// <summary>A program that is no worker of ours, and speaks on its socket like one that never ends its first word.</summary>
public sealed class LongHandshakeTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_handshake_that_says_to_be_long_ends_its_worker_before_its_bytes_come()
    {
        string program = _folder.Write("worker", """
            #!/usr/bin/python3
            import socket, sys, time
            s = socket.socket(socket.AF_UNIX)
            s.connect(sys.argv[sys.argv.index("--endpoint") + 1].removeprefix("ipc://"))
            s.sendall(b"\x93\x01\x00\x91\xc6\x03\xc0\x00\x00")
            time.sleep(60)
            """.ReplaceLineEndings("\n"));
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using TestNode node = TestNode.Start();
        await node.AddAsync(
            TestApps.Python("behaviours.py", new EngineSettings { PoolMinimum = 1, StartupTimeoutMs = 60_000 }) with
            {
                Name = "long",
                Type = AppType.Cpp,
                Code = new CodeSource { Source = program },
            },
            waitReady: false);
        await node.LogLines.UntilAsync("its handshake has more than 65536 bytes").WaitAsync(TimeSpan.FromSeconds(30));
    }
}
