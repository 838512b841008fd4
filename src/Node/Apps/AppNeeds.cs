using Cocaine.Fast.Backends.Languages;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Places;

namespace Cocaine.Fast.Node.Apps;

/// <summary>The programs that a machine must have before an app can run.</summary>
internal static class AppNeeds
{
    /// <summary>The missing part for an app's worker processes, and the places of the search; null when no part is missing.</summary>
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
