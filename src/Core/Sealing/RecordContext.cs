using System.Buffers.Binary;

namespace Cocaine.Fast.Core.Sealing;

/// <summary>The meaning of a record within its call.</summary>
internal enum RecordKind : byte
{
    /// <summary>A chunk; more records follow.</summary>
    More = 0,

    /// <summary>The last chunk of a request, or the end of an answer.</summary>
    Last = 1,

    /// <summary>The error that ends an answer: category and code, 4 bytes each, big-endian, then the text.</summary>
    Error = 2,
}

/// <summary>
/// Everything that a record is tied to. A record that a relay moves to another app, event, job or place, or whose call gets other wishes,
/// does not open.
/// </summary>
/// <param name="app">The app's name, UTF-8.</param>
/// <param name="name">The event's name, at most 256 bytes.</param>
/// <param name="policy">The wishes of the call.</param>
/// <param name="job">The counter of the first record of the call's request.</param>
/// <param name="chunk">The record's place in its direction of the call, from 0.</param>
internal readonly ref struct RecordContext(
    ReadOnlySpan<byte> app, ReadOnlySpan<byte> name, SealPolicy policy, ulong job, ulong chunk)
{
    private const byte Version = 1;
    private const int FixedBytes = 1 + 1 + 1 + 1 + 8 + 8 + 1 + SealPolicy.SizeBytes;

    private readonly ReadOnlySpan<byte> _app = app;
    private readonly ReadOnlySpan<byte> _name = name;
    private readonly SealPolicy _policy = policy;

    /// <summary>The longest name of an app or event.</summary>
    public const int MaxNameBytes = 256;

    /// <summary>The most bytes of <see cref="Write"/>.</summary>
    public const int MaxBytes = FixedBytes + (2 * MaxNameBytes);

    /// <summary>The counter of the call's first record; 0: the record itself is the first one.</summary>
    public ulong Job { get; } = job;

    /// <summary>Writes the bytes that the tag covers besides the text; returns their number.</summary>
    public int Write(Span<byte> to, bool toNode, ulong job, RecordKind kind)
    {
        to[0] = Version;
        to[1] = toNode ? (byte)0 : (byte)1;
        int at = 2;
        _app.CopyTo(to[at..]);
        at += _app.Length;
        to[at++] = 0; // no name of an app has a zero, and the parts after the event's name have fixed lengths
        _name.CopyTo(to[at..]);
        at += _name.Length;
        to[at++] = 0;
        BinaryPrimitives.WriteUInt64BigEndian(to[at..], job);
        BinaryPrimitives.WriteUInt64BigEndian(to[(at + 8)..], chunk);
        to[at + 16] = (byte)kind;
        _policy.Write(to[(at + 17)..]);
        return at + 17 + SealPolicy.SizeBytes;
    }
}
