using System.Diagnostics;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.Base;

public sealed class SocketModeTests : IDisposable
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Group = Owner | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
    private const UnixFileMode All = Group | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private readonly string _folder = Directory.CreateTempSubdirectory("mode-").FullName;

    public SocketModeTests() => File.SetUnixFileMode(
        _folder, Owner | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);

    private string Socket => Path.Combine(_folder, "x.sock");

    [Theory]
    [InlineData("native-server", null, Owner)]
    [InlineData("native-server", "0660", Group)]
    [InlineData("native-sink", "666", All)]
    [InlineData("raw-server", null, Owner)]
    [InlineData("raw-server", "0666", All)]
    public async Task A_socket_has_the_mode_of_its_task(string driver, string? mode, UnixFileMode expected)
    {
        await using TestNode node = TestNode.Start();
        await node.AddAsync(Manifest(1, mode, driver));
        Assert.Equal(expected, File.GetUnixFileMode(Socket));
    }

    [Fact]
    public async Task A_reload_that_changes_the_mode_changes_the_socket_and_keeps_who_is_connected()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Manifest(1, null));
        using RawPeer peer = RawPeer.Connect(app);
        int version = 2;
        foreach ((string? mode, UnixFileMode expected) in ((string?, UnixFileMode)[])[("0660", Group), ("0666", All), (null, Owner)])
        {
            ReplaceOutcome outcome = await node.Node.ReplaceAsync(Manifest(version++, mode)).WaitAsync(Versions.Long);
            Assert.True(outcome.Replaced, outcome.Reason);
            Assert.Equal(expected, File.GetUnixFileMode(Socket));
            Assert.Equal("hello\n"u8.ToArray(), Ask(peer));
            using RawPeer other = RawPeer.Connect(app);
            Assert.Equal("hello\n"u8.ToArray(), Ask(other));
        }
    }

    [Fact]
    public async Task A_mode_that_was_set_by_hand_outlives_a_reload_that_does_not_change_it()
    {
        await using TestNode node = TestNode.Start();
        await node.AddAsync(Manifest(1, null));
        File.SetUnixFileMode(Socket, Group);
        Assert.True((await node.Node.ReplaceAsync(Manifest(2, null, idleMs: 5000)).WaitAsync(Versions.Long)).Replaced);
        Assert.Equal(Group, File.GetUnixFileMode(Socket));
    }

    [Fact]
    public async Task A_socket_whose_file_is_gone_does_not_keep_a_reload_from_its_end()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Manifest(1, null));
        using RawPeer peer = RawPeer.Connect(app);
        File.Delete(Socket);
        Assert.True((await node.Node.ReplaceAsync(Manifest(2, "0666")).WaitAsync(Versions.Long)).Replaced);
        Assert.Equal("hello\n"u8.ToArray(), Ask(peer));
        Assert.Contains($"app/echo: the mode of ipc://{Socket} stays what it was: ", node.Log);
    }

    [RootFact]
    public async Task The_mode_decides_whether_another_user_may_connect()
    {
        await using TestNode node = TestNode.Start();
        await node.AddAsync(Manifest(1, null));
        Assert.Equal("Permission denied", ConnectAsNobody());
        Assert.True((await node.Node.ReplaceAsync(Manifest(2, "0666")).WaitAsync(Versions.Long)).Replaced);
        Assert.Equal("connected", ConnectAsNobody());
        Assert.True((await node.Node.ReplaceAsync(Manifest(3, "0660")).WaitAsync(Versions.Long)).Replaced);
        Assert.Equal("Permission denied", ConnectAsNobody());
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static byte[] Ask(RawPeer peer)
    {
        peer.Send("hello\n");
        return peer.Read(6);
    }

    /// <summary>As a user of this machine who is neither the node's nor of its group.</summary>
    private string ConnectAsNobody()
    {
        const string Program = "print(IO::Socket::UNIX->new(Peer => shift) ? 'connected' : $!)";
        string[] words = ["--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/perl", "-MIO::Socket::UNIX", "-e", Program, Socket];
        using Process perl = Process.Start(new ProcessStartInfo("/usr/bin/setpriv", words) { RedirectStandardOutput = true, WorkingDirectory = "/" })!;
        string said = perl.StandardOutput.ReadToEnd();
        Assert.True(perl.WaitForExit(TimeSpan.FromSeconds(30)));
        return said;
    }

    /// <summary>As its text is read, so that the mode goes the whole way.</summary>
    private AppManifest Manifest(int version, string? mode, string driver = "raw-server", int idleMs = 60_000)
    {
        string keys = driver == "raw-server" ? $", \"framing\": \"line\", \"idle-timeout\": \"{idleMs}ms\"" : "";
        string given = mode is null ? "" : $", \"mode\": \"{mode}\"";
        string text = $$"""
            { "type": "python", "args": "{{Path.Combine(Repository.Root, "tests/apps/versioned.py")}}",
              "tasks": { "echo": { "type": "{{driver}}", "endpoint": "ipc://{{Socket}}"{{keys}}{{given}} } } }
            """;
        ManifestResult result = ManifestReader.Read(System.Text.Encoding.UTF8.GetBytes(text), Path.Combine(_folder, "app.json"));
        TaskManifest task = (result.Manifest ?? throw new FormatException(string.Join('\n', result.Problems))).Tasks[0];
        return Versions.Python(version).With(task);
    }
}
