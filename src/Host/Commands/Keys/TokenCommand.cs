using System.Buffers.Text;
using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using Cocaine.Fast.Host.Commands.Shells;
using Cocaine.Fast.Host.Terminal;

namespace Cocaine.Fast.Host.Commands.Keys;

/// <summary><c>cocaine-fast keys token NAME</c></summary>
internal static class TokenCommand
{
    /// <summary>256 random bits: nobody guesses them, so their SHA-256 needs no salt.</summary>
    private const int TokenBytes = 32;

    public static Command Create()
    {
        Argument<string> name = KeyNames.Argument("The identity that the token is for");
        Command command = new Command(
            "token", "Make a token for a client, and the line for the node's config; the token is kept nowhere, and shown only this once.")
        {
            name,
        }.Example("cocaine-fast keys token batch");
        command.SetAction(parsed =>
        {
            string token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));
            Console.WriteLine(token);
            Console.WriteLine($"\"{parsed.GetValue(name)}\": {{ \"token\": [\"{DigestOf(token)}\"] }}");
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>The form of a token in a node's config: the SHA-256 of the token's letters.</summary>
    private static string DigestOf(string token) =>
        "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(token)));
}
