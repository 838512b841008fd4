using System.Security.Cryptography;
using System.Text;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Trust;

namespace Cocaine.Fast.Web;

/// <summary>The token that readers must send. Only its hash is kept.</summary>
internal sealed class WebToken
{
    /// <summary>A token of 128 bits in the shortest usual writing: fewer characters can be guessed.</summary>
    private const int LeastCharacters = 22;

    /// <summary>More than any token has.</summary>
    private const int MostCharacters = 512;

    private readonly byte[] _hash;

    private WebToken(byte[] hash) => _hash = hash;

    /// <summary>Reads the file.</summary>
    /// <exception cref="IOException">The file cannot be read, others may read it, or it has no good token.</exception>
    public static WebToken Read(string path)
    {
        string file = CredentialPath.Expand(path, Environment.GetEnvironmentVariable("CREDENTIALS_DIRECTORY"));
        if (!CredentialPath.IsCredential(path) && FileStatus.TryRead(file, out FileStatus status)
            && SecretFile.Problem(in status) is { } problem)
        {
            throw new IOException($"web.token-file: {file}: {problem}");
        }

        string token;
        try
        {
            token = File.ReadAllText(file).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"web.token-file: {failure.Message}", failure);
        }

        return token.Length is >= LeastCharacters and <= MostCharacters && token.All(letter => letter is > ' ' and < (char)127)
            ? new WebToken(SHA256.HashData(Encoding.ASCII.GetBytes(token)))
            : throw new IOException(
                $"web.token-file: {file}: expected one token of {LeastCharacters} to {MostCharacters} letters, digits and signs: "
                + "'cocaine-fast keys token' makes one");
    }

    /// <summary>The header <c>authorization</c> has the token. The time tells nothing about the token.</summary>
    public bool IsIn(string? authorization)
    {
        ReadOnlySpan<byte> given = BearerToken.Of(Encoding.UTF8.GetBytes(authorization ?? ""));
        return CryptographicOperations.FixedTimeEquals(SHA256.HashData(given), _hash);
    }
}
