using System.Text;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Ledger;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Ledger;

public class LedgerRecordTests
{
    [Fact]
    public void What_is_written_is_read_and_long_texts_are_cut_between_characters() =>
        Gen.Select(Gen.String[0, 60], Gen.String[0, 60], Gen.String[0, 200], Gen.Int, Gen.Int, Gen.Long[0, long.MaxValue / 2])
            .Sample((task, name, text, category, code, ticks) =>
        {
            byte[] record = new byte[LedgerLayout.RecordSizeBytes];
            LedgerRecord.WriteArrival(record, 1_700_000_000_123_456_700, ticks, Encoding.UTF8.GetBytes(task), Encoding.UTF8.GetBytes(name));
            LedgerRecord.WriteEnd(record, ticks + 77, JobOutcome.Failed, category, code, Encoding.UTF8.GetBytes(text));
            LedgerEntry entry = LedgerRecord.Read(record, 5, isEnded: true);
            Assert.Equal((5ul, JobOutcome.Failed, category, code), (entry.Id, entry.Outcome, entry.Category, entry.Code));
            Assert.Equal(77, entry.EndedNs);
            Assert.Equal(new DateTimeOffset(2023, 11, 14, 22, 13, 20, TimeSpan.Zero).AddTicks(1_234_567), entry.Arrived);
            AssertCut(task, entry.Task, LedgerLayout.MaxNamesBytes / 2);
            AssertCut(name, entry.Event, LedgerLayout.MaxNamesBytes - Encoding.UTF8.GetByteCount(entry.Task));
            AssertCut(text, entry.Text, LedgerLayout.MaxTextBytes);
        });

    [Fact]
    public void Whatever_lies_in_a_record_gives_an_entry() =>
        Gen.Byte.Array[LedgerLayout.RecordSizeBytes].Sample(bytes =>
        {
            LedgerEntry entry = LedgerRecord.Read(bytes, 1, isEnded: true);
            Assert.True(Enum.IsDefined(entry.Outcome));
            Assert.True(entry.EndedNs is null or >= 0);
        });

    [Fact]
    public void A_job_that_is_done_has_no_error_left_of_the_one_before_it()
    {
        byte[] record = new byte[LedgerLayout.RecordSizeBytes];
        LedgerRecord.WriteArrival(record, 0, 1, "t"u8, "e"u8);
        LedgerRecord.WriteEnd(record, 2, JobOutcome.Failed, 1000, 502, "slave died"u8);
        LedgerRecord.WriteArrival(record, 0, 3, "t"u8, "e"u8);
        LedgerRecord.WriteEnd(record, 4, JobOutcome.Done, 0, 0, default);
        LedgerEntry entry = LedgerRecord.Read(record, 9, isEnded: true);
        Assert.Equal((JobOutcome.Done, 0, 0, ""), (entry.Outcome, entry.Category, entry.Code, entry.Text));
    }

    [Theory]
    [InlineData(LedgerLayout.MagicOffset)]
    [InlineData(LedgerLayout.VersionOffset)]
    [InlineData(LedgerLayout.RecordBytesOffset)]
    [InlineData(LedgerLayout.RecordCountOffset)]
    [InlineData(LedgerLayout.AppLengthOffset)]
    public void A_header_with_anything_wrong_is_refused(int offset)
    {
        using LedgerMemory memory = new(64);
        long size = LedgerLayout.FileSizeBytes(64);
        Assert.Equal(64, LedgerHeader.Read(memory.Page, size, out _)!.Records);
        Assert.Null(LedgerHeader.Read(memory.Page, size - 1, out string problem));
        Assert.NotEmpty(problem);
        memory.Page[offset] += 200;
        Assert.Null(LedgerHeader.Read(memory.Page, size, out problem));
        Assert.NotEmpty(problem);
    }

    /// <summary>The beginning of the text in so many bytes, valid; text with lone surrogates was replaced by the encoder already.</summary>
    private static void AssertCut(string text, string kept, int mostBytes)
    {
        string valid = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
        Assert.StartsWith(kept, valid, StringComparison.Ordinal);
        int bytes = Encoding.UTF8.GetByteCount(kept);
        Assert.InRange(bytes, Math.Min(Encoding.UTF8.GetByteCount(valid), mostBytes - 3), mostBytes);
    }
}
