using System.CommandLine;

namespace Cocaine.Fast.Host.Commands.Keys;

/// <summary><c>cocaine-fast keys</c>: certificates, RSA keys and tokens.</summary>
internal static class KeysCommand
{
    public static Command Create() => new(
        "keys",
        "Make and check the keys by which nodes and clients know each other: certificates for TLS, RSA keys, tokens.\n\nExamples:\n"
        + "  cocaine-fast keys ca tls\n"
        + "  cocaine-fast keys certificate tls node --host node.example.org\n"
        + "  cocaine-fast keys certificate tls billing --client")
    {
        AuthorityCommand.Create(),
        CertificateCommand.Create(),
        RevokeCommand.Create(),
        RsaCommands.New(),
        RsaCommands.List(),
        RsaCommands.Show(),
        RsaCommands.Check(),
        TokenCommand.Create(),
    };
}
