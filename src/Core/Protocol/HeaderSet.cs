using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using Cocaine.Fast.Core.MessagePack;

namespace Cocaine.Fast.Core.Protocol;

/// <summary>Sees a header of a message.</summary>
internal delegate void HeaderLook(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value);

/// <summary>
/// The headers of one message: the known ones as values, and all of them encoded again for the worker. Secret ones are apart: they reach a
/// worker only when its task asks for them, and nothing that is written anywhere. Reused from message to message.
/// </summary>
internal sealed class HeaderSet
{
    private const int NumberBytes = 8;

    /// <summary>For arrays of <see cref="ForWorker"/>: names and values that were indexes on the wire are written out there.</summary>
    private static readonly ProtocolLimits OwnLimits = new() { MaxHeaders = int.MaxValue, MaxHeaderBytes = int.MaxValue };

    private readonly HeaderLiterals _others = new();  // without the trace headers
    private HeaderLiterals? _secrets;                 // null until the first one comes
    private byte[] _forWorker = new byte[512];
    private ErrorHeaders _ofError;

    /// <summary>Sees every header that comes, with its value; for workers and tests.</summary>
    internal HeaderLook? Seen { get; init; }

    /// <summary>Names of further headers that are secret here, lower-case or not.</summary>
    internal IReadOnlyList<byte[]> AlsoSecret { get; init; } = [];

    /// <summary>The message has no header.</summary>
    public bool IsEmpty { get; private set; } = true;

    public ulong TraceId { get; private set; }
    public ulong SpanId { get; private set; }
    public ulong ParentId { get; private set; }

    /// <summary>The client sent trace ids of its own.</summary>
    public bool HasTrace { get; private set; }

    /// <summary>Time from the arrival to the deadline, ms.</summary>
    public long? RequestTimeoutMs { get; private set; }

    /// <summary>The longest silence of the slave, ms.</summary>
    public long? SilenceTimeoutMs { get; private set; }

    public int? RetryLimit { get; private set; }

    public bool Urgent { get; private set; }

    /// <summary>The caller says that the job may run twice. The header goes on to the worker, like one that nobody knows.</summary>
    public bool Idempotent { get; private set; }

    /// <summary>The client offers flow control for each call.</summary>
    public bool OffersFlow { get; private set; }

    /// <summary>The values of an error's headers; a node treats them like any other headers.</summary>
    public ErrorHeaders OfError => _ofError;

    public void Clear()
    {
        if (IsEmpty)
        {
            return;
        }

        IsEmpty = true;
        HasTrace = Urgent = Idempotent = OffersFlow = false;
        TraceId = SpanId = ParentId = 0;
        RequestTimeoutMs = SilenceTimeoutMs = null;
        RetryLimit = null;
        _ofError = default;
        _others.Clear();
        _secrets?.Clear();
    }

    /// <summary>Adds a header. False when a known header that needs a number has none.</summary>
    /// <param name="bare">The header is a static index without a value of its own.</param>
    public bool Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool bare)
    {
        IsEmpty = false;
        Seen?.Invoke(name, value);
        if (bare)
        {
            return true;
        }

        if (IsNumeric(name))
        {
            return TryNumber(value, out ulong number) && Set(name, number);
        }

        Idempotent |= name.SequenceEqual("idempotent"u8) && TryNumber(value, out ulong may) && may == 1;
        _ofError.Read(name, value);
        (IsSecret(name) || IsAlsoSecret(name) ? _secrets ??= new HeaderLiterals() : _others).Add(name, value);
        return true;
    }

    /// <summary>Adds a header whose value is a MessagePack number. False when its name wants raw bytes.</summary>
    public bool AddNumber(ReadOnlySpan<byte> name, ulong value)
    {
        IsEmpty = false;
        return IsNumeric(name) && Set(name, value);
    }

    /// <summary>
    /// The header proves who calls: a password or a token, or the opening of a sealed request. The case of its letters does not matter, so
    /// that a client that writes it as HTTP does gives nothing away.
    /// </summary>
    public static bool IsSecret(ReadOnlySpan<byte> name) =>
        Ascii.EqualsIgnoreCase(name, "seal"u8) || Ascii.EqualsIgnoreCase(name, "authorization"u8);

    /// <summary>The message has headers that prove its caller.</summary>
    public bool HasSecrets => _secrets is { Count: > 0 };

    /// <summary>The message has the header of a sealed request.</summary>
    public bool HasSeal => HasSecrets && !Secret("seal"u8).IsEmpty;

    /// <summary>The value of the first secret header of this name, in any case of its letters; empty when there is none.</summary>
    public ReadOnlySpan<byte> Secret(ReadOnlySpan<byte> name) => _secrets is null ? default : _secrets.Find(name);

    /// <summary>Takes the secret headers out: they were for the node.</summary>
    public void DropSecrets() => _secrets?.Clear();

    /// <summary>
    /// An encoded headers array for a worker's invoke; empty when the bare trace headers are enough. Valid until the next change.
    /// </summary>
    public ReadOnlySpan<byte> ForWorker(bool withSecrets)
    {
        HeaderLiterals? secrets = withSecrets ? _secrets : null;
        int count = _others.Count + (secrets?.Count ?? 0);
        if (!HasTrace && count == 0)
        {
            return default;
        }

        int needed = 64 + _others.SizeBytes + (secrets?.SizeBytes ?? 0);
        if (_forWorker.Length < needed)
        {
            _forWorker = new byte[needed * 2];
        }

        Span<byte> to = _forWorker;
        int at = MsgPackEncoder.WriteArrayHead(to, (uint)(3 + count));
        at += WriteTrace(to[at..], HeaderTable.TraceId, TraceId);
        at += WriteTrace(to[at..], HeaderTable.SpanId, SpanId);
        at += WriteTrace(to[at..], HeaderTable.ParentId, ParentId);
        at += _others.CopyTo(to[at..]);
        at += secrets?.CopyTo(to[at..]) ?? 0;
        return to[..at];
    }

    /// <summary>An array of <see cref="ForWorker"/> without the secrets in it: for everything that is kept.</summary>
    /// <param name="encoded">The array.</param>
    /// <param name="also">Names of further headers that are secret.</param>
    public static byte[] WithoutSecrets(ReadOnlySpan<byte> encoded, IReadOnlyList<byte[]>? also = null)
    {
        HeaderSet set = new() { AlsoSecret = also ?? [] };
        return encoded.IsEmpty || HeaderReader.Decode(encoded, new HeaderTable(), set, OwnLimits) == HeaderStatus.Untrusted
            ? [] : set.ForWorker(withSecrets: false).ToArray();
    }

    /// <summary>
    /// Writes <c>[false, name, 8 bytes]</c> and returns its length: the form in which this product's clients send numbers.
    /// </summary>
    public static int WriteNumber(Span<byte> to, ReadOnlySpan<byte> name, ulong value)
    {
        int at = HeaderLiterals.WriteStart(to, name);
        to[at] = 0xa8;
        BinaryPrimitives.WriteUInt64LittleEndian(to[(at + 1)..], value);
        return at + 1 + NumberBytes;
    }

    /// <summary>Writes <c>[false, name, bytes]</c> and returns its length: at most 16 bytes more than name and value.</summary>
    public static int WriteBytes(Span<byte> to, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        int at = HeaderLiterals.WriteStart(to, name);
        at += MsgPackEncoder.WriteStringHead(to[at..], (uint)value.Length, modern: false);
        value.CopyTo(to[at..]);
        return at + value.Length;
    }

    private bool IsAlsoSecret(ReadOnlySpan<byte> name)
    {
        foreach (byte[] secret in AlsoSecret)
        {
            if (Ascii.EqualsIgnoreCase(name, secret))
            {
                return true;
            }
        }

        return false;
    }

    private int WriteTrace(Span<byte> to, byte index, ulong value)
    {
        if (!HasTrace)
        {
            to[0] = index;
            return 1;
        }

        to[0] = 0x93;
        to[1] = 0xc2;
        to[2] = index;
        to[3] = 0xa8;
        BinaryPrimitives.WriteUInt64LittleEndian(to[4..], value);
        return 4 + NumberBytes;
    }

    private static bool IsNumeric(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("trace_id"u8) || name.SequenceEqual("span_id"u8) || name.SequenceEqual("parent_id"u8)
        || name.SequenceEqual("request_timeout"u8) || name.SequenceEqual("silence_timeout"u8)
        || name.SequenceEqual("urgent"u8) || name.SequenceEqual("retry_limit"u8) || name.SequenceEqual(FlowControl.OfferName);

    private bool Set(ReadOnlySpan<byte> name, ulong value)
    {
        switch (name)
        {
            case [(byte)'t', ..]:
                TraceId = value;
                HasTrace = true;
                return true;
            case [(byte)'p', ..]:
                ParentId = value;
                HasTrace = true;
                return true;
            case [(byte)'c', ..]:
                OffersFlow = value == FlowControl.Version;
                return true;
            case [(byte)'u', ..]:
                Urgent = value != 0;
                return value <= 1;
            case [(byte)'r', (byte)'e', (byte)'q', ..]:
                RequestTimeoutMs = Bounded(value);
                return true;
            case [(byte)'r', ..]:
                RetryLimit = (int)Math.Min(value, 1000); // no job survives more runs with any use
                return true;
            case [(byte)'s', (byte)'i', ..]:
                SilenceTimeoutMs = Bounded(value);
                return true;
            default:
                SpanId = value;
                HasTrace = true;
                return true;
        }
    }

    /// <summary>A year counts as for ever; a larger number would overflow sums of times.</summary>
    private static long Bounded(ulong ms) => (long)Math.Min(ms, 366UL * 24 * 3600 * 1000);

    /// <summary>Eight bytes little-endian, one byte, or decimal text.</summary>
    private static bool TryNumber(ReadOnlySpan<byte> value, out ulong number)
    {
        if (value.Length == NumberBytes)
        {
            number = BinaryPrimitives.ReadUInt64LittleEndian(value);
            return true;
        }

        if (Utf8Parser.TryParse(value, out number, out int used) && used == value.Length)
        {
            return true;
        }

        number = value.Length == 1 ? value[0] : 0UL;
        return value.Length == 1 && value[0] <= 1;
    }
}

/// <summary>Literal headers, <c>[false, name, value]</c>, one after the other. The bytes are kept for the next message.</summary>
internal sealed class HeaderLiterals
{
    private const int MostHeadBytes = 16; // of the array, the flag, and the heads of name and value

    private byte[] _bytes = new byte[512];

    public int Count { get; private set; }

    public int SizeBytes { get; private set; }

    public void Clear() => Count = SizeBytes = 0;

    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        int needed = SizeBytes + name.Length + value.Length + MostHeadBytes;
        if (_bytes.Length < needed)
        {
            Array.Resize(ref _bytes, needed * 2);
        }

        Span<byte> to = _bytes.AsSpan(SizeBytes);
        int at = WriteStart(to, name);
        at += MsgPackEncoder.WriteStringHead(to[at..], (uint)value.Length, modern: false);
        value.CopyTo(to[at..]);
        SizeBytes += at + value.Length;
        Count++;
    }

    /// <summary>The value of the first header of this name, in any case of its letters; empty when there is none.</summary>
    public ReadOnlySpan<byte> Find(ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> all = _bytes.AsSpan(0, SizeBytes);
        for (int at = 0; at < all.Length;)
        {
            ReadOnlySpan<byte> own = TextAt(all, at + 2, out at); // behind the array and the flag
            ReadOnlySpan<byte> value = TextAt(all, at, out at);
            if (Ascii.EqualsIgnoreCase(own, name))
            {
                return value;
            }
        }

        return default;
    }

    /// <summary>A string that <see cref="Add"/> wrote, and the place behind it.</summary>
    private static ReadOnlySpan<byte> TextAt(ReadOnlySpan<byte> all, int at, out int end)
    {
        (int head, int length) = all[at] switch
        {
            0xda => (3, BinaryPrimitives.ReadUInt16BigEndian(all[(at + 1)..])),
            0xdb => (5, BinaryPrimitives.ReadInt32BigEndian(all[(at + 1)..])),
            byte first => (1, first & 0x1f),
        };
        end = at + head + length;
        return all.Slice(at + head, length);
    }

    /// <summary>Copies all of them; returns their bytes.</summary>
    public int CopyTo(Span<byte> to)
    {
        _bytes.AsSpan(0, SizeBytes).CopyTo(to);
        return SizeBytes;
    }

    /// <summary>Writes <c>[false, name,</c> and returns its length.</summary>
    public static int WriteStart(Span<byte> to, ReadOnlySpan<byte> name)
    {
        to[0] = 0x93;
        to[1] = 0xc2;
        int at = 2 + MsgPackEncoder.WriteStringHead(to[2..], (uint)name.Length, modern: false);
        name.CopyTo(to[at..]);
        return at + name.Length;
    }
}
