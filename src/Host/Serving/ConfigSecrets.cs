using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Trust;

namespace Cocaine.Fast.Host.Serving;

/// <summary>A config with a list of tokens is for the node's user alone.</summary>
internal static class ConfigSecrets
{
    /// <summary>The reason why a node may not use the config, with the remedy; null when there is none.</summary>
    /// <param name="file">The config's file; null when there is none.</param>
    /// <param name="config">The content of the file.</param>
    public static string? Problem(string? file, NodeConfig config) =>
        file is not null && config.Security.Identities.Any(identity => identity.TokenHashes.Count > 0)
        && FileStatus.TryRead(file, out FileStatus status) && SecretFile.Problem(in status) is { } problem
            ? $"{file} has tokens in security.identities, and {problem}" : null;
}
