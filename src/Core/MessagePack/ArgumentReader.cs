using System.Text;

namespace Cocaine.Fast.Core.MessagePack;

/// <summary>
/// Reads the values of a message's arguments one after the other. A value of another kind, or longer than allowed, is a fault, and
/// everything after it too. The bytes may be hostile.
/// </summary>
internal ref struct ArgumentReader(ReadOnlySpan<byte> arguments)
{
    private ReadOnlySpan<byte> _rest = arguments;

    /// <summary>All values were what they had to be, so far.</summary>
    public bool IsValid { get; private set; } = true;

    /// <summary>All values were what they had to be, and no more are left.</summary>
    public readonly bool IsWhole => IsValid && _rest.IsEmpty;

    /// <summary>The head of an array of so many values.</summary>
    public void Array(int count) => IsValid &= Read(MsgPackKind.Array) == (ulong)count;

    /// <summary>A number that is not below 0.</summary>
    public ulong Number() => Read(MsgPackKind.Unsigned);

    /// <summary>A string, or bytes, of a length within the bounds.</summary>
    public ReadOnlySpan<byte> Bytes(int least, int most)
    {
        IsValid = TryHead(out MsgPackToken token) && token.IsBytes && token.Bits >= (ulong)least && token.Bits <= (ulong)most
            && token.Bits <= (ulong)_rest.Length;
        if (!IsValid)
        {
            return default;
        }

        ReadOnlySpan<byte> bytes = _rest[..(int)token.Bits];
        _rest = _rest[bytes.Length..];
        return bytes;
    }

    /// <summary>A name in UTF-8, of at most so many bytes.</summary>
    public string Name(int most) => Encoding.UTF8.GetString(Bytes(1, most));

    private ulong Read(MsgPackKind kind)
    {
        IsValid = TryHead(out MsgPackToken token) && token.Kind == kind;
        return IsValid ? token.Bits : 0;
    }

    private bool TryHead(out MsgPackToken token)
    {
        token = default;
        if (!IsValid || MsgPackToken.TryRead(_rest, out token) != MsgPackStatus.Ok)
        {
            return false;
        }

        _rest = _rest[token.HeadBytes..];
        return true;
    }
}
