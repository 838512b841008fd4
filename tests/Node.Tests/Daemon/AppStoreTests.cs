using System.Diagnostics;
using System.Text;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Daemon;
using Cocaine.Fast.Transport.Files;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Node.Tests.Daemon;

public sealed class AppStoreTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_kept_comes_back_as_it_was_given()
    {
        ManifestText text = new(Encoding.UTF8.GetBytes("\ufeff{ // \u00e4 \ud83d\ude00 \t\n \"a\": 'no manifest, but text' }\r\n"), "/srv/x/../app.json");
        Keep("a.b", text);
        Keep("other", Text("{}"));
        Keep("other", Text("{ }"));
        IReadOnlyList<StoredApp> apps = new AppStore(_folder.Path).Load();
        Assert.Equal(["a.b", "other"], apps.Select(app => app.Name));
        Assert.Equal(text.Utf8.ToArray(), apps[0].Manifest!.Utf8.ToArray());
        Assert.Equal("/srv/x/../app.json", apps[0].Manifest!.FilePath);
        Assert.Equal("{ }", Encoding.UTF8.GetString(apps[1].Manifest!.Utf8.Span));
        new AppStore(_folder.Path).Delete("other");
        Assert.Equal("a.b", Assert.Single(new AppStore(_folder.Path).Load()).Name);
    }

    [Theory]
    [InlineData("cut", "it is not the JSON that was written")]
    [InlineData("empty", "it is empty")]
    [InlineData("changed", "its digest is another: the file was changed or damaged")]
    [InlineData("moved", "its digest is another: the file was changed or damaged")]
    [InlineData("newer", "it has the format 2, and this node knows 1")]
    [InlineData("more", "it is not the JSON that was written")]
    [InlineData("null", "it is null")]
    [InlineData("binary", "it is not the JSON that was written")]
    public void A_damaged_file_is_told_and_does_not_hide_the_others(string damage, string reason)
    {
        Keep("bad", Text("""{ "version": 1 }"""));
        Keep("good", Text("{}"));
        string path = _folder["apps/bad.json"], text = File.ReadAllText(path);
        File.WriteAllText(path, damage switch
        {
            "cut" => text[..^10],
            "changed" => text.Replace("version\\\": 1", "version\\\": 2"),
            "moved" => text.Replace("/srv/app.json", "/etc/app.json"),
            "newer" => text.Replace("\"format\": 1", "\"format\": 2"),
            "more" => text.Replace("\"format\"", "\"x\": 1, \"format\""),
            "null" => "null",
            "binary" => "\0\u0001\u0002",
            _ => "",
        });
        Assert.NotEqual(text, File.ReadAllText(path));
        IReadOnlyList<StoredApp> apps = new AppStore(_folder.Path).Load();
        Assert.Equal($"{path} is broken: {reason}; create the app anew, or delete it", apps[0].Problem);
        Assert.Null(apps[0].Manifest);
        Assert.Null(apps[1].Problem);
    }

    [Fact]
    public void What_a_crash_left_half_written_is_removed()
    {
        Keep("a", Text("{}"));
        _ = new AppStore(_folder.Path).Prepare("a", Text("{ }")); // the crash: neither committed nor disposed of
        Assert.Equal(2, Directory.GetFiles(_folder["apps"]).Length);
        AppStore store = new(_folder.Path);
        store.RemoveLeftovers(NullLogger.Instance);
        Assert.Equal("{}", Encoding.UTF8.GetString(Assert.Single(store.Load()).Manifest!.Utf8.Span));
        Assert.Equal([_folder["apps/a.json"]], Directory.GetFiles(_folder["apps"]));
    }

    [Fact]
    public void A_look_at_the_folder_leaves_a_write_alone_that_is_under_way()
    {
        AppStore store = new(_folder.Path);
        using PendingFile pending = store.Prepare("a", Text("{ }"));
        Assert.Empty(store.Load());
        AppStore.Commit("a", pending);
        Assert.Null(Assert.Single(store.Load()).Problem);
    }

    [Fact]
    public void A_pipe_in_the_folder_is_no_app_and_is_not_waited_for()
    {
        Keep("good", Text("{}"));
        using Process mkfifo = Process.Start("mkfifo", [_folder["apps/bad.json"]]);
        mkfifo.WaitForExit();
        Assert.Equal(
            [$"{_folder["apps/bad.json"]} is broken: it is no file; create the app anew, or delete it", null],
            new AppStore(_folder.Path).Load().Select(app => app.Problem));
    }

    [Fact]
    public void A_place_that_is_taken_is_told_and_nothing_is_left_behind()
    {
        Directory.CreateDirectory(_folder["apps/a.json/x"]);
        NodeException failure = Assert.Throws<NodeException>(() => Keep("a", Text("{}")));
        Assert.StartsWith("app a cannot be kept: ", failure.Message);
        Assert.Empty(Directory.GetFiles(_folder["apps"]));
    }

    [MountFact]
    public void A_full_disk_is_told_before_anything_has_changed()
    {
        Directory.CreateDirectory(_folder["full"]);
        Run("mount", "-t", "tmpfs", "-o", "size=64k", "none", _folder["full"]);
        try
        {
            AppStore store = new(_folder["full"]);
            using (PendingFile file = store.Prepare("a", Text("{}")))
            {
                AppStore.Commit("a", file);
            }

            NodeException failure = Assert.Throws<NodeException>(() => store.Prepare("a", Text(new string('x', 200_000))));
            Assert.Contains("No space left on device", failure.Message);
            Assert.EndsWith("nothing was changed", failure.Message);
            Assert.Equal("{}", Encoding.UTF8.GetString(Assert.Single(store.Load()).Manifest!.Utf8.Span));
            Assert.Single(Directory.GetFiles(_folder["full/apps"]));
        }
        finally
        {
            Run("umount", _folder["full"]);
        }
    }

    [Fact]
    public void One_node_at_a_time_has_the_folder()
    {
        using (StateFolder.Open(_folder["state"]))
        {
            NodeException failure = Assert.Throws<NodeException>(() => StateFolder.Open(_folder["state"]));
            Assert.Equal(
                $"the state folder {_folder["state"]} is used by another node (process {Environment.ProcessId}): stop that one, or give this "
                + "one a folder of its own (the key 'state' of its config)", failure.Message);
        }

        StateFolder.Open(_folder["state"]).Dispose();
        Assert.StartsWith(
            "the state folder /proc/nothing cannot be used: ", Assert.Throws<NodeException>(() => StateFolder.Open("/proc/nothing")).Message);
    }

    private void Keep(string name, ManifestText text)
    {
        using PendingFile file = new AppStore(_folder.Path).Prepare(name, text);
        AppStore.Commit(name, file);
    }

    private static ManifestText Text(string text) => new(Encoding.UTF8.GetBytes(text), "/srv/app.json");

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}

/// <summary>A test that mounts a small disk, for which not everybody has the right.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MountFactAttribute : FactAttribute
{
    public MountFactAttribute()
    {
        string effective = File.ReadLines("/proc/self/status").First(line => line.StartsWith("CapEff:", StringComparison.Ordinal));
        bool mayMount = (Convert.ToUInt64(effective["CapEff:".Length..].Trim(), 16) >> 21 & 1) == 1; // CAP_SYS_ADMIN
        if (!mayMount)
        {
            Skip = "mounting takes root";
        }
    }
}
