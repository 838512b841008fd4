using System.Text;

namespace Cocaine.Fast.Core.Protocol;

/// <summary>
/// The headers table of one direction of one connection, with RFC 7541's arithmetic (section 4.1: an entry's size is 32 + name + value;
/// 4.4: the oldest entries leave first) over 82 static entries: section "Headers" of docs/protocol.md.
/// </summary>
internal sealed class HeaderTable
{
    public const int StaticCount = 82;
    public const int TraceId = 80, SpanId = 81, ParentId = 82;

    /// <summary>RFC 7541's default, which peers count on.</summary>
    private const int MaxSizeBytes = 4096;

    private const int EntryOverheadBytes = 32;

    /// <summary>Entries that 4096 bytes can hold, rounded up to a power of two for the ring of entries.</summary>
    private const int MaxEntries = 128;

    private static readonly byte[][] StaticNames = HeaderStatics.Names();
    private static readonly byte[][] StaticValues = HeaderStatics.Values();

    // Made with the first entry, because most connections never add one. The bytes lie in a ring of twice the bound, so that an entry never
    // wraps.
    private Entry[]? _entries;
    private byte[]? _bytes;
    private int _newest;      // index in _entries of the newest
    private int _nextByte;

    /// <summary>The number of dynamic entries.</summary>
    public int Count { get; private set; }

    /// <summary>Size of the dynamic entries by RFC 7541's count.</summary>
    public int SizeBytes { get; private set; }

    /// <summary>The entry with this index, from 1; the newest dynamic entry is 83. False past the table.</summary>
    public bool TryGet(ulong index, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        name = value = default;
        if (index is 0 || index > (ulong)(StaticCount + Count))
        {
            return false;
        }

        if (index <= StaticCount)
        {
            name = StaticNames[index - 1];
            value = StaticValues[index - 1];
            return true;
        }

        ref Entry entry = ref _entries![(_newest - (int)(index - StaticCount - 1)) & (MaxEntries - 1)];
        name = _bytes.AsSpan(entry.Offset, entry.NameLength);
        value = _bytes.AsSpan(entry.Offset + entry.NameLength, entry.ValueLength);
        return true;
    }

    /// <summary>
    /// Adds an entry; older entries leave until there is room. An entry larger than the table empties it and is not kept.
    /// </summary>
    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        int length = name.Length + value.Length;
        int size = EntryOverheadBytes + length;
        while (Count > 0 && SizeBytes + size > MaxSizeBytes)
        {
            ref Entry oldest = ref _entries![(_newest - Count + 1) & (MaxEntries - 1)];
            SizeBytes -= EntryOverheadBytes + oldest.NameLength + oldest.ValueLength;
            Count--;
        }

        if (size > MaxSizeBytes)
        {
            return;
        }

        // The name or value may lie in _bytes itself (a name by index). Only bytes of entries that have left are overwritten, and a copy
        // within the array handles overlap.
        _entries ??= new Entry[MaxEntries];
        _bytes ??= new byte[3 * MaxSizeBytes];
        if (_nextByte + length > _bytes.Length)
        {
            _nextByte = 0;
        }

        Span<byte> joined = stackalloc byte[length];
        name.CopyTo(joined);
        value.CopyTo(joined[name.Length..]);
        joined.CopyTo(_bytes.AsSpan(_nextByte));
        _newest = (_newest + 1) & (MaxEntries - 1);
        _entries[_newest] = new Entry { Offset = _nextByte, NameLength = name.Length, ValueLength = value.Length };
        _nextByte += length;
        SizeBytes += size;
        Count++;
    }

    /// <summary>The static entry with this name, or 0.</summary>
    public static int IndexOf(ReadOnlySpan<byte> name)
    {
        for (int i = StaticCount - 1; i >= 0; i--)
        {
            if (name.SequenceEqual(StaticNames[i]) && name.Length > 0)
            {
                return i + 1;
            }
        }

        return 0;
    }

    private struct Entry
    {
        public int Offset;
        public int NameLength;
        public int ValueLength;
    }
}

/// <summary>
/// The 82 static entries: RFC 7541 appendix A, 18 reserved entries, and the three trace headers with eight zero bytes each.
/// </summary>
internal static class HeaderStatics
{
    private const string Rfc7541 =
        ":authority;:method=GET;:method=POST;:path=/;:path=/index.html;:scheme=http;:scheme=https;:status=200;:status=204;:status=206;" +
        ":status=304;:status=400;:status=404;:status=500;accept-charset;" +
        "accept-encoding=gzip, deflate;accept-language;accept-ranges;accept;" +
        "access-control-allow-origin;age;allow;authorization;cache-control;content-disposition;content-encoding;content-language;" +
        "content-length;content-location;content-range;content-type;cookie;date;etag;expect;expires;from;host;if-match;" +
        "if-modified-since;if-none-match;if-range;if-unmodified-since;last-modified;link;location;max-forwards;proxy-authenticate;" +
        "proxy-authorization;range;referer;refresh;retry-after;server;set-cookie;strict-transport-security;transfer-encoding;user-agent;" +
        "vary;via;www-authenticate";

    private static readonly string[] Trace = ["trace_id", "span_id", "parent_id"];

    public static byte[][] Names() => Build(entry => Encoding.ASCII.GetBytes(entry.Split('=')[0]), name => Encoding.ASCII.GetBytes(name));

    public static byte[][] Values() =>
        Build(entry => entry.Contains('=') ? Encoding.ASCII.GetBytes(entry[(entry.IndexOf('=') + 1)..]) : [], _ => new byte[8]);

    private static byte[][] Build(Func<string, byte[]> known, Func<string, byte[]> trace)
    {
        byte[][] all = new byte[HeaderTable.StaticCount][];
        Array.Fill(all, []);
        string[] entries = Rfc7541.Split(';');
        for (int i = 0; i < entries.Length; i++)
        {
            all[i] = known(entries[i]);
        }

        for (int i = 0; i < Trace.Length; i++)
        {
            all[HeaderTable.TraceId - 1 + i] = trace(Trace[i]);
        }

        return all;
    }
}
