namespace Cocaine.Fast.Core.Protocol;

/// <summary>Collects messages in one block of memory, for messages that do not take the usual way, and for tests.</summary>
internal sealed class MemorySink(int capacityBytes = 4096) : MessageSink
{
    private byte[] _block = new byte[capacityBytes];
    private int _length;

    public ReadOnlySpan<byte> Written => _block.AsSpan(0, _length);

    public override int MaxContiguousBytes => int.MaxValue;

    public override Span<byte> BeginMessage(int maxBytes)
    {
        if (_block.Length - _length < maxBytes)
        {
            Array.Resize(ref _block, Math.Max(_block.Length * 2, _length + maxBytes));
        }

        return _block.AsSpan(_length);
    }

    public override void EndMessage(int sizeBytes) => _length += sizeBytes;

    public override void WriteLong(scoped ReadOnlySpan<byte> prefix, scoped in Payload payload, scoped ReadOnlySpan<byte> suffix)
    {
        Span<byte> span = BeginMessage(prefix.Length + payload.Length + suffix.Length);
        prefix.CopyTo(span);
        payload.CopyTo(span[prefix.Length..]);
        suffix.CopyTo(span[(prefix.Length + payload.Length)..]);
        EndMessage(prefix.Length + payload.Length + suffix.Length);
    }

    public void Clear() => _length = 0;
}
