using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cocaine.Fast.Core.Sealing;

/// <summary>
/// One direction of a session: its cipher, its counter where records are made, and its window where they are opened. The nonce of a record
/// is a prefix of 4 bytes and the field of 8 bytes that the record shows: its kind and counter. The counter never comes twice.
/// </summary>
internal sealed class SealDirection
{
    /// <summary>Bytes of a key and of a prefix.</summary>
    public const int SecretBytes = KeyBytes + PrefixBytes;

    public const int TagBytes = 16, FieldBytes = 8;

    private const int KeyBytes = 32, PrefixBytes = 4, NonceBytes = PrefixBytes + FieldBytes;
    private const int KindShift = 56;
    private const ulong CounterMask = (1UL << KindShift) - 1;

    private readonly Lock _lock = new();
    private readonly AesGcm _cipher;
    private readonly uint _prefix;
    private ReplayWindow _window = new();
    private ulong _counter;

    public SealDirection(in OpeningSecret secret, bool toNode)
    {
        Span<byte> bytes = stackalloc byte[SecretBytes];
        secret.Derive(toNode, bytes);
        _cipher = new AesGcm(bytes[..KeyBytes], TagBytes);
        _prefix = BinaryPrimitives.ReadUInt32BigEndian(bytes[KeyBytes..]);
        CryptographicOperations.ZeroMemory(bytes);
    }

    /// <summary>The counter of the latest record that was sealed.</summary>
    public ulong Counter => Volatile.Read(ref _counter);

    /// <summary>Seals a text where it stands; returns the counter, or 0 when there was the last one.</summary>
    public ulong Seal(in RecordContext context, bool toNode, RecordKind kind, Span<byte> field, Span<byte> text, Span<byte> tag)
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Span<byte> tied = stackalloc byte[RecordContext.MaxBytes];
        lock (_lock)
        {
            if (_counter >= SealLimits.MaxRecords)
            {
                return 0;
            }

            ulong counter = ++_counter;
            BinaryPrimitives.WriteUInt64BigEndian(field, ((ulong)kind << KindShift) | counter);
            WriteNonce(nonce, field);
            int length = context.Write(tied, toNode, context.Job == 0 ? counter : context.Job, kind);
            _cipher.Encrypt(nonce, text, text, tag, tied[..length]);
            return counter;
        }
    }

    /// <summary>Opens a text where it stands. A text that does not open is wiped.</summary>
    public SealFault Open(
        in RecordContext context, bool toNode, ReadOnlySpan<byte> field, Span<byte> text, ReadOnlySpan<byte> tag, out OpenedRecord opened)
    {
        opened = default;
        ulong both = BinaryPrimitives.ReadUInt64BigEndian(field), counter = both & CounterMask;
        RecordKind kind = (RecordKind)(both >> KindShift);
        if (kind > RecordKind.Error || counter is 0 or > SealLimits.MaxRecords)
        {
            return SealFault.CannotOpen;
        }

        Span<byte> nonce = stackalloc byte[NonceBytes];
        Span<byte> tied = stackalloc byte[RecordContext.MaxBytes];
        WriteNonce(nonce, field);
        int length = context.Write(tied, toNode, context.Job == 0 ? counter : context.Job, kind);
        lock (_lock)
        {
            if (!_window.IsNew(counter))
            {
                return SealFault.Replayed;
            }

            try
            {
                _cipher.Decrypt(nonce, text, tag, text, tied[..length]);
            }
            catch (CryptographicException)
            {
                return SealFault.CannotOpen;
            }

            _window.Add(counter); // after the tag: a forged record moves no window
        }

        opened = new OpenedRecord(text.Length, kind, counter);
        return SealFault.None;
    }

    private void WriteNonce(Span<byte> nonce, ReadOnlySpan<byte> field)
    {
        BinaryPrimitives.WriteUInt32BigEndian(nonce, _prefix);
        field.CopyTo(nonce[PrefixBytes..]);
    }
}
