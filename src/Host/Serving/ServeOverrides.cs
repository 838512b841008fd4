using Cocaine.Fast.Core.Configuration;

namespace Cocaine.Fast.Host.Serving;

/// <summary>The words of a command line that hold over the config.</summary>
/// <param name="Name">The node's name in its cluster; null = the config's.</param>
/// <param name="Engine">The address of the cluster's engine; null = the config's.</param>
internal sealed record ServeOverrides(string? Name, string? Engine)
{
    /// <summary>The config with these words.</summary>
    /// <param name="config">The config.</param>
    public NodeConfig Over(NodeConfig config)
    {
        if (Name is null && Engine is null)
        {
            return config;
        }

        ClusterConfig cluster = config.Cluster ?? new ClusterConfig();
        return config with { Cluster = cluster with { Name = Name ?? cluster.Name, Engine = Engine is { } one ? [one] : cluster.Engine } };
    }

    /// <summary>The mistake in these words; null when there is none.</summary>
    /// <param name="config">The config with these words.</param>
    public string? Problem(NodeConfig config) => Engine is null ? null
        : (EngineAddress.Mistake(Engine) ?? EngineAddress.Danger(Engine, config.Cluster!)) is { } problem ? $"--cluster: {problem}" : null;
}
