using System.Text.Json;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.FileSystem;

/// <summary>filesystem-monitor: real files, and a Python app that writes down what it gets.</summary>
public sealed class FileSystemMonitorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("monitor-").FullName;
    private readonly string _spool;
    private readonly string _log;
    private readonly string _release;

    public FileSystemMonitorTests()
    {
        _spool = Path.Combine(_folder, "spool");
        _log = Path.Combine(_folder, "log");
        _release = Path.Combine(_folder, "release");
        Directory.CreateDirectory(_spool);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_burst_is_a_job_with_what_changed()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App("spool", keys: [("recursive", true)]));
        File.WriteAllText(At("one"), "12345");
        JsonElement made = await UntilAsync("one");
        Assert.Equal(("created", 5L), (made.GetProperty("type").GetString(), made.GetProperty("size").GetInt64()));
        double mtime = (File.GetLastWriteTimeUtc(At("one")) - DateTime.UnixEpoch).TotalSeconds;
        Assert.Equal(mtime, made.GetProperty("mtime").GetDouble(), 3);
        Assert.Equal(_spool, Requests()[0].GetProperty("path").GetString());

        File.AppendAllText(At("one"), "6");
        await UntilAsync("one", "modified");
        File.Move(At("one"), At("two"));
        JsonElement moved = await UntilAsync("two", "moved");
        Assert.Equal(("one", "two"), (moved.GetProperty("from").GetString(), moved.GetProperty("to").GetString()));
        Directory.CreateDirectory(At("below"));
        File.WriteAllText(At("below/three"), "");
        Assert.True((await UntilAsync("below")).GetProperty("folder").GetBoolean());
        await UntilAsync("below/three");
        File.Delete(At("two"));
        JsonElement deleted = await UntilAsync("two", "deleted");
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (deleted.GetProperty("mtime").ValueKind, deleted.GetProperty("size").ValueKind));
        string info = await app.InfoJsonAsync();
        Assert.Contains($"\"path\":\"{_spool}\",\"is\":\"folder\",\"folders\":2,\"unwatched\":0,\"remembered\":2,", info);
        Assert.Contains("\"overflows\":0,\"waiting\":0,\"delivered\":6,\"refused\":0,", info);
    }

    [Fact]
    public async Task An_app_that_takes_no_argument_is_called()
    {
        await using TestNode node = TestNode.Start();
        await node.AddAsync(App("nothing"));
        File.WriteAllText(At("one"), "");
        await UntilAsync(() => Requests().Count == 1);
        Assert.Equal("called", Requests()[0].GetString());
    }

    [Fact]
    public async Task What_is_there_at_the_start_is_created_when_asked_for()
    {
        for (int i = 0; i < 20; i++)
        {
            Directory.CreateDirectory(At($"{i}"));
            File.WriteAllText(At($"{i}/file"), "");
        }

        await using TestNode node = TestNode.Start();
        await node.AddAsync(App("spool", keys: [("recursive", true), ("on-start", true)]));
        await UntilAsync(() => Events().Count == 40);
        File.WriteAllText(At("19/late"), "");
        await UntilAsync("19/late");
        Assert.All(Events(), one => Assert.Equal("created", one.GetProperty("type").GetString()));
    }

    [Fact]
    public async Task Only_wanted_events_are_reported_and_a_file_that_is_renamed_into_place_counts_as_made()
    {
        await using TestNode node = TestNode.Start();
        await node.AddAsync(App("spool", events: ["created"]));
        File.WriteAllText(Path.Combine(_folder, "elsewhere"), "x");
        File.Move(Path.Combine(_folder, "elsewhere"), At("from-elsewhere"));
        await UntilAsync("from-elsewhere");
        File.WriteAllText(At(".tmp"), "data");
        await UntilAsync(".tmp");
        File.AppendAllText(At(".tmp"), "more");
        File.Move(At(".tmp"), At("final"));
        File.Delete(At("from-elsewhere"));
        await UntilAsync("final");
        Assert.All(Events(), one => Assert.Equal("created", one.GetProperty("type").GetString()));
        Assert.Equal([".tmp", "final", "from-elsewhere"], Events().Select(one => one.GetProperty("name").GetString()).Order());
    }

    [Fact]
    public async Task An_editor_that_saves_by_rename_modifies_its_file()
    {
        File.WriteAllText(At("file"), "one");
        await using TestNode node = TestNode.Start();
        await node.AddAsync(App("spool", keys: [("settle", 300L)]));
        File.WriteAllText(At("file.tmp"), "two");
        File.Move(At("file.tmp"), At("file"), overwrite: true);
        await UntilAsync("file", "modified");
        File.Move(At("file"), At("file~"));
        File.WriteAllText(At("file"), "three");
        File.Delete(At("file~"));
        await UntilAsync(() => Events().Count == 2);
        Assert.Equal(("file", "modified"), (Events()[1].GetProperty("name").GetString(), Events()[1].GetProperty("type").GetString()));
    }

    [Fact]
    public async Task Changes_that_find_the_queue_full_are_kept_merged_and_delivered()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App("slow", new EngineSettings { PoolLimit = 1, QueueLimit = 1 }, keys: [("settle", 1L)]));
        Put("running");
        await UntilAsync("running");
        Put("queued");
        await app.UntilInfoShowsAsync("\"queued\":1");
        for (int i = 0; i < 500; i++)
        {
            Put($"{i}");
        }

        await app.UntilInfoShowsAsync("\"waiting\":500,");
        Assert.DoesNotContain("\"refused\":0,", await app.InfoJsonAsync());
        Assert.Contains("changes wait, because the app takes no job now", node.Log);
        File.WriteAllText(_release, "");
        await UntilAsync(() => Events().Count == 502);
        Assert.Equal(3, Requests().Count);
        await app.UntilInfoShowsAsync("\"waiting\":0,\"delivered\":502,");
    }

    [Fact]
    public async Task A_burst_that_does_not_settle_is_delivered_all_the_same()
    {
        await using TestNode node = TestNode.Start();
        await node.AddAsync(App("spool", keys: [("settle", 100L)]));
        using CancellationTokenSource stop = new();
        Task writing = Task.Run(() =>
        {
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                File.WriteAllText(At($"{i % 10}"), "x");
                Thread.Sleep(5);
            }
        });
        await UntilAsync(() => Requests().Count >= 2);
        await stop.CancelAsync();
        await writing;
    }

    [Fact]
    public async Task A_job_that_fails_is_counted_and_its_changes_are_not_delivered_again()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App("fails"));
        File.WriteAllText(At("one"), "");
        await app.UntilInfoShowsAsync("\"failed\":1,");
        File.WriteAllText(At("two"), "");
        await app.UntilInfoShowsAsync("\"failed\":2,");
        Assert.Equal(["one", "two"], Events().Select(one => one.GetProperty("name").GetString()));
    }

    [Fact]
    public async Task Ten_thousand_files_and_more_come_in_several_jobs()
    {
        const int Count = 12_000;
        await using TestNode node = TestNode.Start();
        await node.AddAsync(App("spool", keys: [("recursive", true)]));
        Directory.CreateDirectory(At("below"));
        for (int i = 0; i < Count; i++)
        {
            File.WriteAllBytes(At($"below/{i}"), []);
        }

        await UntilAsync(() => Events().Select(one => one.GetProperty("name").GetString()).ToHashSet().Count == Count + 1);
        Assert.All(Requests(), request => Assert.InRange(request.GetProperty("events").GetArrayLength(), 1, 10_000));
    }

    [Fact]
    public async Task A_name_that_is_no_text_is_reported_as_its_bytes()
    {
        await using TestNode node = TestNode.Start();
        await node.AddAsync(App("spool"));
        using System.Diagnostics.Process touch = System.Diagnostics.Process.Start("/bin/sh", ["-c", $"touch \"$(printf '{_spool}/\\377x')\""]);
        await touch.WaitForExitAsync();
        await UntilAsync("ff78");
        using System.Diagnostics.Process remove = System.Diagnostics.Process.Start("/bin/rm", ["-rf", _spool]); // .NET cannot
        await remove.WaitForExitAsync();
    }

    /// <summary>The kernel goes up from where the link leads to, not from where it stands.</summary>
    [Fact]
    public async Task A_path_that_goes_up_behind_a_link_is_the_folder_that_the_kernel_finds()
    {
        string target = Directory.CreateDirectory(Path.Combine(_folder, "real/deep")).FullName;
        string watched = Directory.CreateDirectory(Path.Combine(_folder, "real/spool")).FullName;
        File.CreateSymbolicLink(Path.Combine(_folder, "link"), target);
        await using TestNode node = TestNode.Start();
        await node.AddAsync(App("spool", keys: [("path", Path.Combine(_folder, "./link//../spool/"))]));
        File.WriteAllText(At("stranger"), ""); // in the folder that the text alone would give
        File.WriteAllText(Path.Combine(watched, "one"), "");
        await UntilAsync("one");
        Assert.Equal($"{_folder}/link/../spool", Requests()[0].GetProperty("path").GetString());
        Assert.DoesNotContain(Events(), one => one.GetProperty("name").GetString() == "stranger");
    }

    [Fact]
    public async Task A_path_that_cannot_be_used_fails_the_start()
    {
        await using TestNode node = TestNode.Start();
        AppManifest manifest = App("spool");
        AppManifest relative = manifest with { Tasks = [manifest.Tasks[0] with { Keys = new Dictionary<string, object> { ["path"] = "spool" } }] };
        NodeException failure = await Assert.ThrowsAsync<NodeException>(() => node.AddAsync(relative));
        Assert.Contains("task spool: the path 'spool' is not absolute", failure.Message);
    }

    /// <summary>Makes a file in one step: an only event.</summary>
    private void Put(string name)
    {
        File.WriteAllText(Path.Combine(_folder, "made"), "x");
        File.Move(Path.Combine(_folder, "made"), At(name));
    }

    private string At(string name) => Path.Combine(_spool, name);

    private AppManifest App(
        string task, EngineSettings? engine = null, string[]? events = null, params (string Key, object Value)[] keys)
    {
        Dictionary<string, string> variables = new() { ["LOG"] = _log, ["RELEASE"] = _release };
        Dictionary<string, object> values = new() { ["path"] = _spool };
        foreach ((string key, object value) in keys)
        {
            values[key] = value;
        }

        return TestApps.Python("files.py", engine ?? new EngineSettings { PoolLimit = 1, QueueLimit = 100 }, variables) with
        {
            Tasks = [new TaskManifest { Name = task, DriverType = "filesystem-monitor", Events = events ?? [], Keys = values }],
        };
    }

    /// <summary>Whole lines of the log only: the app may be writing one.</summary>
    private List<JsonElement> Requests()
    {
        if (!File.Exists(_log))
        {
            return [];
        }

        string text = File.ReadAllText(_log);
        return [.. text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)];
    }

    private List<JsonElement> Events() => [.. Requests().SelectMany(request => request.GetProperty("events").EnumerateArray())];

    private async Task<JsonElement> UntilAsync(string name, string? type = null)
    {
        JsonElement found = default;
        await UntilAsync(() =>
        {
            found = Events().FirstOrDefault(one => one.GetProperty("name").GetString() == name
                && (type is null || one.GetProperty("type").GetString() == type));
            return found.ValueKind == JsonValueKind.Object;
        });
        return found;
    }

    private async Task UntilAsync(Func<bool> condition)
    {
        long limit = Environment.TickCount64 + 120_000;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < limit, File.Exists(_log) ? File.ReadAllText(_log)[..Math.Min(3000, (int)new FileInfo(_log).Length)] : "no job");
            await Task.Delay(20);
        }
    }
}
