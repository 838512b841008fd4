using System.Text;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Quarantine;
using CsCheck;

using Kept = Cocaine.Fast.Node.Quarantine.QuarantineEntry;

namespace Cocaine.Fast.Node.Tests.Records;

public sealed class QuarantineTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"state-{Guid.NewGuid():N}");

    public void Dispose()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_job_that_kills_its_slaves_is_kept_shown_and_replayed_once_it_is_mended(bool hasState)
    {
        string file = Path.Combine(Path.GetTempPath(), $"mended-{Guid.NewGuid():N}");
        await using TestNode node = TestNode.Start(stateDirectory: hasState ? _folder : null);
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py"));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        IQuarantineControl quarantine = node.Node.Quarantine;
        Assert.Equal(hasState, !node.Log.Contains("kept in memory only"));
        Assert.Equal(502, (await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("die_unless", Utf8.Of(file)))).Code);
        Kept job = await OneAsync(quarantine);
        Assert.Equal(
            ("behaviours", "die_unless", "signal 9 (SIGKILL), sent by a process other than the node", (long)file.Length),
            (job.App, job.Event, job.Cause, job.RequestBytes));
        using (JsonDocument shown = JsonDocument.Parse(quarantine.Show("behaviours", job.Id)!))
        {
            JsonElement root = shown.RootElement;
            Assert.Equal(file, root.GetProperty("request").GetString());
            Assert.Equal("event", root.GetProperty("task").GetString());
            JsonElement[] slaves = [.. root.GetProperty("slaves").EnumerateArray()];
            Assert.Equal(2, slaves.Length);
            Assert.All(slaves, slave => Assert.Contains(
                $"about to die of {file}", slave.GetProperty("last-lines").EnumerateArray().Select(line => line.GetString())));
        }

        NodeException again = await Assert.ThrowsAsync<NodeException>(() => quarantine.ReplayAsync("behaviours", job.Id, default));
        Assert.Contains("it failed again, as job ", again.Message);
        Assert.Contains("502", again.Message);
        File.WriteAllText(file, "");
        IReadOnlyList<byte[]>? answer = await ((QuarantineStore)quarantine).ReplayForAnswerAsync("behaviours", job.Id, default);
        Assert.Equal("mended", Encoding.UTF8.GetString(answer!.Single()));
        Assert.Empty(quarantine.List(null)); // the failed replay left no second one
        Assert.False(await quarantine.ReplayAsync("behaviours", job.Id, default));
        Assert.Null(quarantine.Show("behaviours", job.Id));
        File.Delete(file);
    }

    [Fact]
    public async Task A_kept_job_whose_event_has_become_too_long_is_refused_and_nothing_else_happens()
    {
        string mended = Path.Combine(Path.GetTempPath(), $"mended-{Guid.NewGuid():N}");
        await using TestNode node = TestNode.Start(stateDirectory: _folder);
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py"));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        IQuarantineControl quarantine = node.Node.Quarantine;
        await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("die_unless", Utf8.Of(mended)));
        Kept job = await OneAsync(quarantine);
        string path = Assert.Single(Directory.GetFiles(_folder, "*.job", SearchOption.AllDirectories));
        string changed = Encoding.Latin1.GetString(File.ReadAllBytes(path)).Replace("\"die_unless\"", $"\"{new string('e', 257)}\"");
        File.WriteAllBytes(path, Encoding.Latin1.GetBytes(changed));
        NodeException refused = await Assert.ThrowsAsync<NodeException>(() => quarantine.ReplayAsync("behaviours", job.Id, default));
        Assert.EndsWith("its event's name is longer than 256 bytes", refused.Message);
        Assert.Equal(Utf8.Of("on"), await client.CallAsync("echo", Utf8.Of("on")));
        Assert.DoesNotContain("Please report this", node.Log);
    }

    [Fact]
    public async Task Kept_jobs_outlive_the_node_and_files_that_are_none_are_said_and_left()
    {
        string file = Path.Combine(Path.GetTempPath(), $"mended-{Guid.NewGuid():N}");
        await using (TestNode node = TestNode.Start(stateDirectory: _folder))
        {
            RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py"));
            await using CocaineClient client = await TestNode.ConnectAsync(app);
            await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("die_unless", Utf8.Of(file)));
        }

        string folder = Path.Combine(_folder, "quarantine", "behaviours");
        string path = Assert.Single(Directory.GetFiles(folder));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        byte[] whole = File.ReadAllBytes(path);
        File.WriteAllBytes(Path.Combine(folder, "torn.job"), whole[..^3]);
        File.WriteAllBytes(Path.Combine(folder, ".some.job.tmp"), whole);
        await using TestNode next = TestNode.Start(stateDirectory: _folder);
        Assert.Contains("torn.job is left out", next.Log);
        Assert.Equal(2, Directory.GetFiles(folder).Length); // what was being written when a node ended is gone
        IQuarantineControl quarantine = next.Node.Quarantine;
        Kept job = Assert.Single(quarantine.List("behaviours"));
        Assert.Empty(quarantine.List("other"));
        NodeException failure = await Assert.ThrowsAsync<NodeException>(() => quarantine.ReplayAsync("behaviours", job.Id, default));
        Assert.Contains("does not run here", failure.Message);
        Assert.False(quarantine.Drop("behaviours", "../../" + job.Id));
        Assert.True(quarantine.Drop("behaviours", job.Id));
        Assert.False(quarantine.Drop("behaviours", job.Id));
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void A_job_is_read_as_it_was_written() =>
        Gen.Select(Gen.Byte.Array[0, 300].Array[0, 5], Gen.String, Gen.Byte.Array[0, 40], Gen.Bool, Gen.Long[0, 1000], Gen.Int[-1, 5])
            .Sample((chunks, line, headers, flag, number, retries) =>
        {
            RequestLog request = new(new BlockPool());
            request.SetHeaders(headers);
            foreach (byte[] chunk in chunks)
            {
                request.Add(new Payload(chunk));
            }

            byte[] bytes = QuarantineFile.Write("id", "app", DateTimeOffset.UnixEpoch, new QuarantinedJob
            {
                JobId = 7,
                Task = "task",
                Event = "event"u8,
                Policy = new JobPolicy
                {
                    Urgent = flag,
                    DeadlineMs = number,
                    SilenceTimeoutMs = number * 2,
                    RetryLimit = retries < 0 ? null : retries,
                },
                Headers = request.Headers,
                Request = request,
                IsWhole = flag,
                Deaths = [new SlaveDeath("3f2a1b2c", "signal 11", [line])],
            });
            StoredJob job = QuarantineFile.Read(bytes);
            Assert.Equal(("id", "app", "task", "event", "signal 11", flag), (job.Id, job.App, job.Task, job.Event, job.Cause, job.IsWhole));
            Assert.Equal((flag, number, number * 2, retries < 0 ? null : retries),
                (job.Policy.Urgent, job.Policy.DeadlineMs, job.Policy.SilenceTimeoutMs, job.Policy.RetryLimit));
            Assert.Equal(headers, job.Headers);
            Assert.Equal(chunks.Select(chunk => chunk.Length), job.ChunkBytes);
            Assert.Equal(chunks.SelectMany(chunk => chunk), job.Payload.ToArray());
            Assert.Throws<InvalidDataException>(() => QuarantineFile.Read([.. bytes, 0]));
            Assert.Throws<InvalidDataException>(() => QuarantineFile.Read(bytes[..^1]));
        });

    [Fact]
    public void The_oldest_goes_when_there_is_no_room()
    {
        using LogLines log = new();
        QuarantineShelf shelf = new(folder: null, log);
        for (int i = 0; i < QuarantineLimits.MaxJobs + 5; i++)
        {
            shelf.Put(new Kept($"{i:d6}", "app", "event", DateTimeOffset.UnixEpoch, "signal 9", 1), [1]);
        }

        Assert.Equal(QuarantineLimits.MaxJobs, shelf.List("app").Count);
        Assert.Equal("000005", shelf.List(null)[0].Id);
        Assert.Contains("job 000004, the oldest in quarantine, is forgotten", log.Text);
        shelf.Put(
            new Kept("9", "app", "event", DateTimeOffset.UnixEpoch, "signal 9", 1),
            new byte[QuarantineLimits.MaxMemoryBytes - 10]);
        Assert.Equal(11, shelf.List("app").Count);
        shelf.Put(
            new Kept("99", "app", "event", DateTimeOffset.UnixEpoch, "signal 9", 1),
            new byte[QuarantineLimits.MaxMemoryBytes + 1]);
        Assert.Contains("job 99 killed each slave that ran it and is not kept", log.Text);
    }

    private static async Task<Kept> OneAsync(IQuarantineControl quarantine)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30));
        while (quarantine.List(null).Count == 0)
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        return Assert.Single(quarantine.List(null));
    }
}
