using System.Text;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Ledger;
using CsCheck;
using Xunit.Abstractions;

namespace Cocaine.Fast.Core.Tests.Ledger;

public class LedgerRingTests(ITestOutputHelper output)
{
    private const int Records = LedgerLayout.MinRecords;

    /// <summary>What the ring must say of a job.</summary>
    private sealed record Expected(string Event, long Arrived)
    {
        public long? Queued { get; set; }

        public long? Dispatched { get; set; }

        public long? FirstByte { get; set; }

        public (JobOutcome Outcome, long At, int Code, string Text)? End { get; set; }

        public string? Slave { get; set; }

        public int Runs { get; set; }

        public bool IsPlaced { get; set; }

        public long? Stood { get; set; }
    }

    [Fact]
    public void Whatever_comes_in_whatever_order_it_has_the_latest_jobs_as_they_were() =>
        Gen.Select(Gen.Int[0, 11], Gen.Int[0, 200]).Array[1, 600].Sample(steps =>
        {
            using LedgerMemory memory = new(Records);
            Dictionary<ulong, Expected> model = [];
            ulong last = 0;
            long now = 1000;
            foreach ((int what, int which) in steps)
            {
                now += which;
                if (what <= 4)
                {
                    last += what == 4 ? 3ul : 1ul; // an engine may leave numbers out
                    model[last] = new Expected($"event{which}", now);
                    memory.Ring.Arrived(last, now, "task"u8, Encoding.UTF8.GetBytes($"event{which}"));
                    continue;
                }

                ulong id = last - Math.Min(last, (ulong)which); // also jobs whose slot is another's by now, and none
                Apply(memory.Ring, model.GetValueOrDefault(id) ?? new Expected("", 0), what, which, id, now);
            }

            AssertSame(memory.Reader(), model, last);
        }, iter: 2000);

    private static void Apply(LedgerRing ring, Expected job, int what, int which, ulong id, long now)
    {
        switch (what)
        {
            case 5:
                ring.Queued(id, now);
                job.Queued = now;
                break;
            case 6:
                long stood = which % 2 == 0 ? -1 : which * 1000;
                ring.Dispatched(id, now, 0x3f2a, which + 1, stood);
                job.Dispatched = now;
                (job.Slave, job.Runs, job.IsPlaced, job.Stood) = ("00003f2a", which + 1, false, stood < 0 ? null : stood);
                break;
            case 8:
                ring.Placed(id, 0x77);
                (job.Slave, job.IsPlaced, job.Stood) = (job.Runs > 0 ? job.Slave : "00000077", true, null);
                break;
            case 9:
                int runs = which % 2;
                ring.TakenBack(id, runs);
                (job.Slave, job.Runs, job.IsPlaced, job.Stood) = (runs == 0 ? null : job.Slave ?? "00000000", runs, false, null);
                job.Dispatched = runs == 0 ? null : job.Dispatched;
                break;
            case 7:
                ring.FirstByte(id, now);
                job.FirstByte = now;
                break;
            default:
                JobOutcome outcome = (JobOutcome)(1 + (which % 4));
                (int code, string text) = outcome == JobOutcome.Done ? (0, "") : (which, $"error {which}");
                ring.Ended(id, now, outcome, 1000, code, Encoding.UTF8.GetBytes(text));
                job.End = (outcome, now, code, text);
                break;
        }
    }

    private static void AssertSame(LedgerReader reader, Dictionary<ulong, Expected> model, ulong last)
    {
        // A slot has the greatest of the ids that share it.
        Dictionary<ulong, ulong> slots = [];
        foreach (ulong id in model.Keys.Order())
        {
            slots[id % Records] = id;
        }

        List<LedgerEntry> entries = reader.ReadAll();
        Assert.Equal(slots.Values.Order(), entries.Select(entry => entry.Id));
        Assert.Equal(last, reader.LastId());
        foreach (LedgerEntry entry in entries)
        {
            Expected job = model[entry.Id];
            Assert.Equal(entry, reader.Find(entry.Id));
            Assert.Equal((job.Event, "task"), (entry.Event, entry.Task));
            Assert.Equal(job.Queued - job.Arrived, entry.QueuedNs);
            Assert.Equal(job.Dispatched - job.Arrived, entry.DispatchedNs);
            Assert.Equal(job.FirstByte - job.Arrived, entry.FirstByteNs);
            Assert.Equal((job.Slave, job.Runs, job.Stood), (entry.Slave, entry.Runs, entry.StoodNs));
            Assert.Equal(job.IsPlaced && job.End is null, entry.IsPlaced);
            Assert.Equal(job.End?.Outcome ?? JobOutcome.Open, entry.Outcome);
            Assert.Equal(job.End?.At - job.Arrived, entry.EndedNs);
            Assert.Equal((job.End?.Code ?? 0, job.End?.Text ?? ""), (entry.Code, entry.Text));
            Assert.Null(reader.Find(entry.Id + Records));
        }
    }

    [Fact]
    public void A_reader_beside_the_writer_sees_whole_records_only()
    {
        using LedgerMemory memory = new(Records);
        bool stop = false;
        Thread writer = new(() =>
        {
            byte[] name = new byte[16];
            for (ulong id = 1; !Volatile.Read(ref stop); id++)
            {
                id.TryFormat(name, out int length);
                memory.Ring.Arrived(id, (long)id * 10, name.AsSpan(0, length), name.AsSpan(0, length));
                memory.Ring.Dispatched(id, ((long)id * 10) + 2, (uint)id, 1, -1);
                memory.Ring.Ended(id, ((long)id * 10) + 4, JobOutcome.Failed, (int)id, (int)id, name.AsSpan(0, length));
            }
        });
        writer.Start();
        LedgerReader reader = memory.Reader();
        long read = 0;
        while (read < 300_000)
        {
            foreach (LedgerEntry entry in reader.ReadAll())
            {
                read++;
                string text = $"{entry.Id}";
                bool isWhole = entry.Event == text && entry.Task == text && entry.DispatchedNs is null or 2
                    && (entry.Outcome == JobOutcome.Open
                        || (entry.Text == text && entry.Code == (int)entry.Id && entry.Category == (int)entry.Id && entry.EndedNs == 4));
                Assert.True(isWhole, $"{entry}");
            }
        }

        Volatile.Write(ref stop, true);
        writer.Join();
    }

    [Fact]
    public void A_slot_that_is_being_taken_over_is_nobodys()
    {
        using LedgerMemory memory = new(Records);
        memory.Ring.Arrived(7, 10, "t"u8, "e"u8);
        memory.Ring.Ended(7, 11, JobOutcome.Done, 0, 0, default);
        memory.Record(7)[..8].Clear(); // as a writer leaves it that was killed just after
        Assert.Empty(memory.Reader().ReadAll());
        memory.Ring.Ended(7, 12, JobOutcome.Failed, 1, 1, "late"u8);
        Assert.Empty(memory.Reader().ReadAll());
    }

    [Fact]
    public void A_record_of_a_whole_job_allocates_nothing()
    {
        using LedgerMemory memory = new(16_384);
        WriteJobs(memory.Ring, 1, 100_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        WriteJobs(memory.Ring, 100_001, 1_000_000);
        double ns = System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalNanoseconds / 1_000_000;
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        output.WriteLine($"{ns:F1} ns a job");
    }

    private static void WriteJobs(IJobLedger ledger, ulong first, int count)
    {
        for (ulong id = first; id < first + (ulong)count; id++)
        {
            long now = (long)id * 1000;
            ledger.Arrived(id, now, "event"u8, "echo"u8);
            ledger.Dispatched(id, now, 0x1234, 1, -1);
            ledger.FirstByte(id, now + 500);
            ledger.Ended(id, now + 600, JobOutcome.Done, 0, 0, default);
        }
    }
}
