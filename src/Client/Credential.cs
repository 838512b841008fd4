using System.Text;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Client;

/// <summary>The header of a token: <c>authorization: Bearer TOKEN</c>.</summary>
internal static class Credential
{
    /// <summary>Longer than the tokens of <c>keys token</c>, and a small part of the bound for the headers of a call.</summary>
    private const int MaxTokenLetters = 256;

    /// <summary>The encoded header; empty without a token.</summary>
    public static byte[] Encode(string? token)
    {
        if (token is null)
        {
            return [];
        }

        HeaderLiterals header = new();
        header.Add("authorization"u8, Encoding.ASCII.GetBytes("Bearer " + token));
        byte[] encoded = new byte[header.SizeBytes];
        header.CopyTo(encoded);
        return encoded;
    }

    /// <summary>The token, when it can be one.</summary>
    /// <exception cref="FormatException">The token has too many letters, or letters that no token has.</exception>
    public static string? Checked(string? token) =>
        token is null || (token.Length is > 0 and <= MaxTokenLetters && token.All(letter => letter is > ' ' and <= '~')) ? token
            : throw new FormatException($"the token is no token: 1 to {MaxTokenLetters} letters of ASCII without spaces are needed");
}
