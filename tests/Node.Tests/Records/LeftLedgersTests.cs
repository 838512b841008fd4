using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Records;
using Cocaine.Fast.Node.Tests.Daemon;

namespace Cocaine.Fast.Node.Tests.Records;

/// <summary>Ledgers are memory: those that nobody has open are bounded, and those that a node has open are left alone.</summary>
public sealed class LeftLedgersTests : IDisposable
{
    private const int UsualRecords = 16_384;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Apps_with_ever_new_names_leave_the_records_of_the_latest()
    {
        await using TestNode node = TestNode.Start();
        for (int i = 10; i < 22; i++)
        {
            await ServeAndDeleteAsync(node.Node, $"app{i}", calls: 1);
        }

        await ServeAndDeleteAsync(node.Node, "silent", calls: 0); // nothing to ask about: nothing is kept
        Assert.Equal(Enumerable.Range(14, 8).Select(i => $"app{i}"), Names(node.LedgerDirectory));
        Assert.InRange(Directory.GetFiles(node.LedgerDirectory).Sum(file => new FileInfo(file).Length), 1, LeftLedgers.MaxDeletedBytes);
        LedgerEntry job = JobRecords.Read(node.LedgerDirectory, "app21").Single().Entries.Single();
        Assert.Equal((1UL, JobOutcome.Done), (job.Id, job.Outcome));
        Assert.Contains("app10: the records of its jobs are removed", node.Log);

        // One that comes again goes on with its numbers, and is not among the deleted any more.
        RunningApp again = await node.AddAsync(Echo("app14"));
        await using (CocaineClient client = await TestNode.ConnectAsync(again))
        {
            await client.CallAsync("echo", Utf8.Of("x"));
        }

        await ServeAndDeleteAsync(node.Node, "app22", calls: 1);
        await ServeAndDeleteAsync(node.Node, "app23", calls: 1);
        JobRecords records = JobRecords.Read(node.LedgerDirectory, "app14").Single();
        Assert.True(records.IsNodeRunning && !records.Header.IsDeleted);
        Assert.Equal([1UL, 2UL], records.Entries.Select(one => one.Id));
        Assert.Equal(9, Names(node.LedgerDirectory).Count);
    }

    [Fact]
    public async Task Two_nodes_with_one_folder_do_not_disturb_each_other()
    {
        await using TestNode first = TestNode.Start();
        RunningApp mine = await first.AddAsync(Echo("mine"));
        await using CocaineClient client = await TestNode.ConnectAsync(mine);
        await client.CallAsync("echo", Utf8.Of("x"));

        // Its apps may have been deleted once, and its ledger is the oldest; the other node leaves many behind.
        using LogLines log = new();
        await using (CocaineNode second = new(new NodeOptions { Loops = 1, Locator = null, LedgerDirectory = first.LedgerDirectory, LoggerFactory = log }))
        {
            second.Start();
            for (int i = 10; i < 22; i++)
            {
                Leave(first.LedgerDirectory, $"left{i}", age: TimeSpan.FromHours(i), isDeleted: true);
            }

            await ServeAndDeleteAsync(second, "theirs", calls: 1);
            await second.StopAsync(TimeSpan.FromSeconds(10));
        }

        Assert.Equal(["left10", "left11", "left12", "left13", "left14", "left15", "left16", "mine", "theirs"], Names(first.LedgerDirectory));
        await client.CallAsync("echo", Utf8.Of("x"));
        JobRecords records = JobRecords.Read(first.LedgerDirectory, "mine").Single();
        Assert.True(records.IsNodeRunning);
        Assert.Equal(2, records.Entries.Count);
        Assert.DoesNotContain("no records of jobs are kept", first.Log + log.Text);
    }

    [Fact]
    public async Task A_daemon_removes_what_nobody_came_back_for_and_goes_on_with_its_own()
    {
        string ledgers = _folder["ledger"];
        await using (TestDaemon daemon = await TestDaemon.StartAsync(_folder))
        {
            RunningApp app = await daemon.CreateAsync(_folder.Manifest("own"));
            await using CocaineClient client = await CocaineClient.ConnectAsync(app.Endpoints[0].Endpoint);
            await client.CallAsync("echo", Utf8.Of("x"));
        }

        Age(Path.Combine(ledgers, "own.ledger"), TimeSpan.FromDays(9)); // the machine's owner was on holiday
        for (int i = 10; i < 50; i++)
        {
            Leave(ledgers, $"run{i}", age: TimeSpan.FromHours(i), isDeleted: false);
            Leave(ledgers, $"restarting{i}", age: TimeSpan.FromSeconds(i), isDeleted: false);
        }

        File.Move(Path.Combine(ledgers, "run10.ledger"), Path.Combine(ledgers, "run10.ledger.aside"));
        _folder.Write("ledger/accounts.ledger", "2026/11/27 lunch");
        _folder.Write("ledger/accounts.ledger.aside", "2026/11/26 lunch");
        await using TestDaemon next = await TestDaemon.StartAsync(_folder);
        string[] expected = [.. Enumerable.Range(10, 40).Select(i => $"restarting{i}"), .. Enumerable.Range(11, 32).Select(i => $"run{i}"), "accounts", "own"];
        Assert.Equal(expected.Order(StringComparer.Ordinal), Names(ledgers));
        Assert.Equal(
            ["accounts.ledger.aside", "run10.ledger.aside"], Directory.GetFiles(ledgers, "*.aside").Select(Path.GetFileName).Order());
        JobRecords own = JobRecords.Read(ledgers, "own").Single();
        Assert.True(own.IsNodeRunning);
        Assert.Equal(2UL, own.Header.FirstId);
        Assert.Contains("its node has ended and has not come back for it", next.Log);
    }

    private static AppManifest Echo(string name) => TestApps.DotNet(BackendType.Thread) with { Name = name };

    private static async Task ServeAndDeleteAsync(CocaineNode node, string name, int calls)
    {
        RunningApp app = await node.AddAsync(Echo(name));
        await app.Ready.WaitAsync(TimeSpan.FromSeconds(20));
        await using (CocaineClient client = await TestNode.ConnectAsync(app))
        {
            for (int i = 0; i < calls; i++)
            {
                await client.CallAsync("echo", Utf8.Of("x"));
            }
        }

        await node.DeleteAsync(name, TimeSpan.FromSeconds(20));
    }

    private static List<string> Names(string folder) => [.. LedgerFolder.List(folder).Select(pair => pair.App)];

    /// <summary>A ledger of the usual size, as a node leaves it that stopped so long ago.</summary>
    private static void Leave(string folder, string app, TimeSpan age, bool isDeleted)
    {
        long stopped = NsBefore(age);
        byte[] page = new byte[LedgerLayout.HeaderSizeBytes];
        new LedgerHeader(app, UsualRecords, ProcessId: 1, stopped, MonotonicNs: 0, FirstId: 1, stopped) { IsDeleted = isDeleted }.Write(page);
        using FileStream file = File.Create(LedgerFolder.FileOf(folder, app));
        file.Write(page);
        file.SetLength(LedgerLayout.FileSizeBytes(UsualRecords));
    }

    private static void Age(string path, TimeSpan age)
    {
        using FileStream file = File.OpenWrite(path);
        file.Position = LedgerLayout.StoppedOffset;
        file.Write(BitConverter.GetBytes(NsBefore(age)));
    }

    private static long NsBefore(TimeSpan age) => (DateTimeOffset.UtcNow - age - DateTimeOffset.UnixEpoch).Ticks * 100;
}
