using System.Diagnostics;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Transport.SharedMemory;

namespace Cocaine.Fast.Transport.Tests.SharedMemory;

public sealed class LedgerFileTests : IDisposable
{
    private const int Records = LedgerLayout.MinRecords;
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"ledger-{Guid.NewGuid():N}.ledger");

    public void Dispose()
    {
        File.Delete(_path);
        File.Delete(_path + ".aside");
    }

    [Fact]
    public void A_writer_killed_at_any_point_leaves_only_whole_records()
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        ulong last = 0;
        for (int round = 0; round < 20; round++)
        {
            string program = Path.Combine(AppContext.BaseDirectory, "Peers.dll");
            ProcessStartInfo start = new("dotnet", [program, "write-ledger", _path]) { RedirectStandardOutput = true };
            using Process peer = Process.Start(start)!;
            Assert.Equal("ready", peer.StandardOutput.ReadLine());
            using (LedgerFile file = LedgerFile.OpenForReading(_path))
            {
                Assert.True(file.IsHeld);
                Assert.Equal(round == 0, file.Header.FirstId == 1); // numbers go on
                ulong until = file.Reader().LastId() + (ulong)random.Next(1, 200_000);
                while (file.Reader().LastId() < until)
                {
                    AssertWhole(file.Reader().ReadAll());
                }

                peer.Kill();
                Assert.True(peer.WaitForExit(30_000));
                Assert.False(file.IsHeld);
                List<LedgerEntry> entries = file.Reader().ReadAll();
                Assert.True(entries.Count >= Records - 1, $"seed {seed}, round {round}: {entries.Count} of {Records} records");
                AssertWhole(entries);
                Assert.True(file.Reader().LastId() > last);
                last = file.Reader().LastId();
            }
        }
    }

    [Fact]
    public void One_node_has_it_and_the_next_goes_on()
    {
        using (LedgerFile first = LedgerFile.OpenForNode(_path, "app", Records, out string? setAside))
        {
            Assert.Null(setAside);
            Assert.Contains("another node's", Assert.Throws<IOException>(() => LedgerFile.OpenForNode(_path, "app", Records, out _)).Message);
            first.Ring(TimeProvider.System).Arrived(41, 1, "t"u8, "e"u8);
            using LedgerFile reading = LedgerFile.OpenForReading(_path);
            Assert.Equal(("app", 0L, Environment.ProcessId), (reading.Header.App, reading.Header.StoppedNs, reading.Header.ProcessId));
        }

        using LedgerFile second = LedgerFile.OpenForNode(_path, "app", Records, out _);
        Assert.Equal(42ul, second.Header.FirstId);
        Assert.Equal(41ul, Assert.Single(second.Reader().ReadAll()).Id);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_path));
    }

    [Fact]
    public void What_is_no_ledger_of_this_app_is_set_aside()
    {
        File.WriteAllText(_path, "something else");
        using (LedgerFile made = LedgerFile.OpenForNode(_path, "app", Records, out string? setAside))
        {
            Assert.Equal("it is no ledger", setAside);
            Assert.Equal("something else", File.ReadAllText(_path + ".aside"));
            made.Ring(TimeProvider.System).Arrived(9, 1, "t"u8, "e"u8);
        }

        using (LedgerFile larger = LedgerFile.OpenForNode(_path, "app", Records * 2, out string? setAside))
        {
            Assert.Equal("it has 64 records, and 128 are asked for", setAside);
            Assert.Equal(10ul, larger.Header.FirstId); // no number is given twice all the same
        }

        using LedgerFile other = LedgerFile.OpenForNode(_path, "other", Records * 2, out string? foreign);
        Assert.Equal("it is of the app app", foreign);
        File.WriteAllBytes(_path + ".aside", new byte[100]);
        Assert.Throws<InvalidDataException>(() => LedgerFile.OpenForReading(_path + ".aside"));
    }

    [Fact]
    public void One_that_is_open_is_not_removed_and_who_opens_one_that_is_being_removed_has_it_in_its_place()
    {
        using (LedgerFile held = LedgerFile.OpenForNode(_path, "app", Records, out _))
        {
            Assert.False(LedgerFile.TryRemove(_path));
            Assert.True(File.Exists(_path));
        }

        bool stop = false;
        int removed = 0;
        Thread remover = new(() =>
        {
            while (!Volatile.Read(ref stop)) // set below
            {
                Volatile.Write(ref removed, removed + (LedgerFile.TryRemove(_path) ? 1 : 0)); // read below
                Thread.Sleep(1); // still far more often than nodes do: they must not be starved by it
            }
        });
        remover.Start();
        for (int i = 0; i < 2000 || (Volatile.Read(ref removed) == 0 && i < 200_000); i++) // until the thread has had its turn
        {
            using LedgerFile file = LedgerFile.OpenForNode(_path, "app", Records, out _);
            using LedgerFile seen = LedgerFile.OpenForReading(_path);
            Assert.True(seen.IsHeld);
            file.Ring(TimeProvider.System).Arrived(file.Header.FirstId, 1, "t"u8, "e"u8);
            Assert.Equal(file.Header.FirstId, seen.Reader().LastId()); // the same file, not one that nobody finds
        }

        Volatile.Write(ref stop, true); // read by the thread
        Assert.True(remover.Join(30_000));
        Assert.True(removed > 0);
        Assert.True(LedgerFile.TryRemove(_path) || !File.Exists(_path));
        Assert.False(LedgerFile.TryRemove(_path));
    }

    private static void AssertWhole(List<LedgerEntry> entries)
    {
        foreach (LedgerEntry entry in entries)
        {
            string text = $"{entry.Id:d16}";
            bool isWhole = entry.Event == text && entry.Task == text && entry.QueuedNs is null or 1 && entry.DispatchedNs is null or 2
                && entry.FirstByteNs is null or 3 && (entry.Slave is null || entry.Slave == $"{(uint)entry.Id:x8}")
                && (entry.Outcome == JobOutcome.Open
                    || (entry.Text == text && entry.Code == (int)entry.Id && entry.Category == (int)entry.Id && entry.EndedNs == 4));
            Assert.True(isWhole, $"{entry}");
        }
    }
}
