using System.Buffers;

namespace Cocaine.Fast.Core.Rings;

/// <summary>
/// Joins the pieces of messages that are longer than a record. The assembler holds memory only while a long message is under way, and no
/// more than its bound, whatever the writer claims.
/// </summary>
internal sealed class PieceAssembler(int maxBytes)
{
    private byte[]? _block;
    private int _length;

    /// <summary>The assembler has pieces, and the last piece has not come yet.</summary>
    public bool UnderWay => _length > 0;

    /// <summary>Adds a piece. False when the message grows past the bound.</summary>
    public bool TryAdd(ReadOnlySpan<byte> piece)
    {
        if (piece.Length > maxBytes - _length)
        {
            return false;
        }

        if (_block is null || _block.Length - _length < piece.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(_length + piece.Length, Math.Min(_length * 2, maxBytes)));
            _block.AsSpan(0, _length).CopyTo(larger);
            Return();
            _block = larger;
        }

        piece.CopyTo(_block.AsSpan(_length));
        _length += piece.Length;
        return true;
    }

    /// <summary>The pieces joined so far; valid until <see cref="Clear"/>.</summary>
    public ReadOnlySpan<byte> Bytes => _block.AsSpan(0, _length);

    /// <summary>The first bytes were taken: they were whole messages.</summary>
    public void Drop(int bytes)
    {
        if (bytes == _length)
        {
            Clear();
        }
        else if (bytes > 0)
        {
            _block.AsSpan(bytes, _length - bytes).CopyTo(_block);
            _length -= bytes;
        }
    }

    public void Clear()
    {
        _length = 0;
        Return();
        _block = null;
    }

    private void Return()
    {
        if (_block is not null)
        {
            ArrayPool<byte>.Shared.Return(_block);
        }
    }
}
