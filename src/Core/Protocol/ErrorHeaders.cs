using System.Buffers.Text;
using System.Globalization;
using System.Text.Unicode;
using Cocaine.Fast.Core.MessagePack;

namespace Cocaine.Fast.Core.Protocol;

/// <summary>
/// The headers of an error: section "Headers" of docs/protocol.md. They add no entry to the table of the connection, so that a peer may
/// leave them unread.
/// </summary>
internal struct ErrorHeaders
{
    /// <summary>The most bytes of the headers: array 1; of two headers each 2, a name of at most 7, a number of at most 21.</summary>
    public const int MaxEncodedBytes = 1 + (2 * (2 + 7 + 21));

    /// <summary>The most bytes of the note: its words, an id of at most 20 digits and a number of at most 10.</summary>
    public const int MaxNoteBytes = 64;

    /// <summary>The number of the job that failed or was refused; 0 when the request never became a job.</summary>
    public ulong JobId { get; set; }

    /// <summary>Seconds until the caller should come again; 0 when this is not known.</summary>
    public int RetryAfterS { get; set; }

    /// <summary>Takes a header if it is a known one.</summary>
    public void Read(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.SequenceEqual("job-id"u8) && Utf8Parser.TryParse(value, out ulong id, out int used) && used == value.Length)
        {
            JobId = id;
        }
        else if (name.SequenceEqual("retry-after"u8) && Utf8Parser.TryParse(value, out int seconds, out used) && used == value.Length
            && seconds > 0)
        {
            RetryAfterS = seconds;
        }
    }

    /// <summary>Writes the headers array and returns its length; 0 when there is no header to write.</summary>
    public readonly int Write(Span<byte> to)
    {
        int count = (JobId > 0 ? 1 : 0) + (RetryAfterS > 0 ? 1 : 0);
        if (count == 0)
        {
            return 0;
        }

        int at = MsgPackEncoder.WriteArrayHead(to, (uint)count);
        if (JobId > 0)
        {
            at += WriteText(to[at..], "job-id"u8, JobId);
        }

        return RetryAfterS > 0 ? at + WriteText(to[at..], "retry-after"u8, (ulong)RetryAfterS) : at;
    }

    /// <summary>
    /// Writes the headers as a note for people, at the end of a reason, for protocols that have no other room: <c> (job 17; retry after 2
    /// s)</c>. Returns its length; 0 when there is no header to write.
    /// </summary>
    public readonly int WriteNote(Span<byte> to)
    {
        CultureInfo plain = CultureInfo.InvariantCulture;
        int length = 0;
        bool fits = (JobId, RetryAfterS) switch
        {
            (0, 0) => true,
            (_, 0) => Utf8.TryWrite(to, plain, $" (job {JobId})", out length),
            (0, _) => Utf8.TryWrite(to, plain, $" (retry after {RetryAfterS} s)", out length),
            _ => Utf8.TryWrite(to, plain, $" (job {JobId}; retry after {RetryAfterS} s)", out length),
        };
        return fits ? length : throw new ArgumentException($"a note needs {MaxNoteBytes} bytes", nameof(to));
    }

    /// <summary><c>[false, name or index, decimal text]</c></summary>
    private static int WriteText(Span<byte> to, ReadOnlySpan<byte> name, ulong number)
    {
        to[0] = 0x93;
        to[1] = 0xc2;
        int at = 2;
        if (HeaderTable.IndexOf(name) is > 0 and int index)
        {
            at += MsgPackEncoder.WriteUnsigned(to[at..], (ulong)index);
        }
        else
        {
            at += MsgPackEncoder.WriteStringHead(to[at..], (uint)name.Length, modern: false);
            name.CopyTo(to[at..]);
            at += name.Length;
        }

        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat(number, digits, out int length);
        at += MsgPackEncoder.WriteStringHead(to[at..], (uint)length, modern: false);
        digits[..length].CopyTo(to[at..]);
        return at + length;
    }
}
