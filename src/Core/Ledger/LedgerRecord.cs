using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Ledger;

/// <summary>
/// A record's bytes except for its stamps. The ring and the reader handle the stamps, because they know the orderings. This class is pure:
/// spans in, spans out.
/// </summary>
internal static class LedgerRecord
{
    /// <summary>Turns a slot into the record of a new job.</summary>
    public static void WriteArrival(
        Span<byte> record, long arrivedWallNs, long arrivedNs, ReadOnlySpan<byte> task, ReadOnlySpan<byte> name)
    {
        BinaryPrimitives.WriteInt64LittleEndian(record[LedgerLayout.ArrivedWallOffset..], arrivedWallNs);
        BinaryPrimitives.WriteInt64LittleEndian(record[LedgerLayout.ArrivedOffset..], arrivedNs);
        record[LedgerLayout.QueuedOffset..LedgerLayout.EndStampOffset].Clear(); // queued, dispatched, first byte, slave and run
        Span<byte> names = record.Slice(LedgerLayout.NamesOffset, LedgerLayout.MaxNamesBytes);
        int taskLength = Fit(task, LedgerLayout.MaxNamesBytes / 2);
        int nameLength = Fit(name, LedgerLayout.MaxNamesBytes - taskLength);
        task[..taskLength].CopyTo(names);
        name[..nameLength].CopyTo(names[taskLength..]);
        record[LedgerLayout.TaskLengthOffset] = (byte)taskLength;
        record[LedgerLayout.EventLengthOffset] = (byte)nameLength;
        record[LedgerLayout.ForwardedOffset] = 0;
    }

    /// <summary>Records the node that takes the job.</summary>
    public static void WriteNode(Span<byte> record, ReadOnlySpan<byte> node)
    {
        int length = Fit(node, LedgerLayout.MaxNodeBytes);
        record[LedgerLayout.NodeLengthOffset] = (byte)length;
        node[..length].CopyTo(record[LedgerLayout.NodeOffset..]);
        record[LedgerLayout.ForwardedOffset] = 1;
    }

    /// <summary>Records how the job ended.</summary>
    public static void WriteEnd(Span<byte> record, long endedNs, JobOutcome outcome, int category, int code, ReadOnlySpan<byte> text)
    {
        BinaryPrimitives.WriteInt64LittleEndian(record[LedgerLayout.EndedOffset..], endedNs);
        record[LedgerLayout.OutcomeOffset] = (byte)outcome;
        if (outcome == JobOutcome.Done)
        {
            return; // lines 3 and 4 stay as they are: nobody reads them for a job that is done
        }

        bool wasForwarded = record[LedgerLayout.ForwardedOffset] == 1;
        int length = Fit(text, wasForwarded ? LedgerLayout.MaxForwardedTextBytes : LedgerLayout.MaxTextBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(record[LedgerLayout.TextLengthOffset..], (ushort)length);
        BinaryPrimitives.WriteInt32LittleEndian(record[LedgerLayout.CategoryOffset..], category);
        BinaryPrimitives.WriteInt32LittleEndian(record[LedgerLayout.CodeOffset..], code);
        text[..length].CopyTo(record[LedgerLayout.TextOffset..]);
    }

    /// <summary>
    /// Reads a copy of a record. Any content gives an entry: lengths are bounded, unknown outcomes are read as open, and text is made
    /// valid.
    /// </summary>
    public static LedgerEntry Read(ReadOnlySpan<byte> record, ulong id, bool isEnded)
    {
        long arrived = BinaryPrimitives.ReadInt64LittleEndian(record[LedgerLayout.ArrivedOffset..]);
        long? After(ReadOnlySpan<byte> word)
        {
            long ticks = BinaryPrimitives.ReadInt64LittleEndian(word);
            return ticks == 0 ? null : Math.Max(0, ticks - arrived);
        }

        int taskLength = Math.Min((int)record[LedgerLayout.TaskLengthOffset], LedgerLayout.MaxNamesBytes);
        int nameLength = Math.Min((int)record[LedgerLayout.EventLengthOffset], LedgerLayout.MaxNamesBytes - taskLength);
        ReadOnlySpan<byte> names = record[LedgerLayout.NamesOffset..];
        RunWord run = new(BinaryPrimitives.ReadUInt64LittleEndian(record[LedgerLayout.SlaveOffset..]));
        JobOutcome outcome = isEnded ? (JobOutcome)record[LedgerLayout.OutcomeOffset] : JobOutcome.Open;
        outcome = Enum.IsDefined(outcome) ? outcome : JobOutcome.Open;
        bool hasError = outcome is not (JobOutcome.Open or JobOutcome.Done);
        int textLength = Math.Min(
            (int)BinaryPrimitives.ReadUInt16LittleEndian(record[LedgerLayout.TextLengthOffset..]), LedgerLayout.MaxTextBytes);
        return new LedgerEntry
        {
            Id = id,
            Task = Encoding.UTF8.GetString(names[..taskLength]),
            Event = Encoding.UTF8.GetString(names.Slice(taskLength, nameLength)),
            Arrived = WallTime(BinaryPrimitives.ReadInt64LittleEndian(record[LedgerLayout.ArrivedWallOffset..])),
            QueuedNs = After(record[LedgerLayout.QueuedOffset..]),
            DispatchedNs = After(record[LedgerLayout.DispatchedOffset..]),
            FirstByteNs = After(record[LedgerLayout.FirstByteOffset..]),
            EndedNs = outcome == JobOutcome.Open ? null : After(record[LedgerLayout.EndedOffset..]),
            Node = NodeOf(record, run),
            Slave = run.HasSlave && NodeOf(record, run) is null ? run.Slave.ToString("x8", CultureInfo.InvariantCulture) : null,
            Runs = run.Runs,
            IsPlaced = run.IsPlaced && outcome == JobOutcome.Open,
            StoodNs = run.StoodNs,
            Outcome = outcome,
            Category = hasError ? BinaryPrimitives.ReadInt32LittleEndian(record[LedgerLayout.CategoryOffset..]) : 0,
            Code = hasError ? BinaryPrimitives.ReadInt32LittleEndian(record[LedgerLayout.CodeOffset..]) : 0,
            Text = hasError ? Encoding.UTF8.GetString(record.Slice(LedgerLayout.TextOffset, textLength)) : "",
        };
    }

    /// <summary>The node of the last run; null when that was on a slave here: only a run on another node has no slave's number.</summary>
    private static string? NodeOf(ReadOnlySpan<byte> record, RunWord run)
    {
        int length = Math.Min((int)record[LedgerLayout.NodeLengthOffset], LedgerLayout.MaxNodeBytes);
        return record[LedgerLayout.ForwardedOffset] == 1 && run is { Runs: > 0, Slave: 0 }
            ? Encoding.UTF8.GetString(record.Slice(LedgerLayout.NodeOffset, length)) : null;
    }

    /// <summary>The bytes of a text that fit into the room, cut between two characters.</summary>
    private static int Fit(ReadOnlySpan<byte> text, int room) => text.Length <= room ? text.Length : Cut(text, room);

    private static int Cut(ReadOnlySpan<byte> text, int room)
    {
        int length = room;
        while (length > room - 4 && (text[length] & 0xc0) == 0x80) // 10xxxxxx continues a character
        {
            length--;
        }

        return Utf8.IsValid(text[..length]) ? length : room; // text that is not UTF-8 is cut anywhere
    }

    private static DateTimeOffset WallTime(long ns)
    {
        long ticks = DateTimeOffset.UnixEpoch.Ticks + (ns / 100);
        return ticks >= 0 && ticks <= DateTimeOffset.MaxValue.Ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : DateTimeOffset.UnixEpoch;
    }
}
