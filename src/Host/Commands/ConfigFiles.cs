using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Host.Serving;
using Cocaine.Fast.Node.Certificates;

namespace Cocaine.Fast.Host.Commands;

/// <summary>Checks the files of secrets that a config names: those that a node reads at its start.</summary>
internal static class ConfigFiles
{
    /// <summary>The mistakes for which a node would not start.</summary>
    /// <param name="path">The config's file.</param>
    /// <param name="config">Its content.</param>
    /// <param name="warnings">Gets the rest: lacks of this machine, and ends that come.</param>
    public static List<string> Mistakes(string path, NodeConfig config, List<string> warnings)
    {
        List<string> mistakes = [];
        if (ConfigSecrets.Problem(path, config) is { } problem)
        {
            mistakes.Add(problem);
        }

        if (config.Security.Tls is { } tls)
        {
            if (TlsMistakes.Find(tls, out bool isLack) is not { } mistake)
            {
                warnings.AddRange(TlsWarnings.Of(tls, DateTimeOffset.UtcNow).Select(PlainText.OneLine));
            }
            else if (isLack)
            {
                warnings.Add($"here no door can have TLS: {mistake}");
            }
            else
            {
                mistakes.Add(mistake);
            }
        }

        if (config.Security.KeysFolder is { } keys)
        {
            if (!Directory.Exists(keys))
            {
                warnings.Add($"$.security.keys: here no job can be sealed: there is no folder {keys}");
            }
            else
            {
                List<string> problems = [];
                _ = KeyFolders.Of(keys).Read(problems);
                mistakes.AddRange(problems.Select(one => $"{path}: $.security.keys: {PlainText.OneLine(one)}"));
            }
        }

        return mistakes;
    }
}
