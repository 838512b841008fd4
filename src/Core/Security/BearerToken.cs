using System.Text;

namespace Cocaine.Fast.Core.Security;

/// <summary>The form of a token in the header <c>authorization</c>: <c>Bearer</c>, a space and the token, as in HTTP.</summary>
internal static class BearerToken
{
    private static ReadOnlySpan<byte> Scheme => "Bearer "u8;

    /// <summary>The token in a header's value; empty when the value has another form.</summary>
    public static ReadOnlySpan<byte> Of(ReadOnlySpan<byte> value) =>
        value.Length > Scheme.Length && Ascii.EqualsIgnoreCase(value[..Scheme.Length], Scheme)
            ? value[Scheme.Length..].Trim((byte)' ') : default;
}
