using Cocaine.Fast.Backends.Languages;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Places;

namespace Cocaine.Fast.Node.Apps;

/// <summary>What apps need of a machine before anything of them can run.</summary>
internal static class AppNeeds
{
    /// <summary>What this machine lacks for an app's worker processes, and where it was looked for; null when it has all.</summary>
    public static string? LackOf(AppManifest app)
    {
        try
        {
            if (app.Engine.Backend == BackendType.Process)
            {
                new CommandLine(Folders.Sdk(configured: null)).FindProgram(app);
            }

            return null;
        }
        catch (IOException lack)
        {
            return lack.Message;
        }
    }
}
