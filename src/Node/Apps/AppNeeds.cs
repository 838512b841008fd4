using Cocaine.Fast.Backends.Languages;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Places;

namespace Cocaine.Fast.Node.Apps;

/// <summary>The needs of apps on a machine before anything of them can run.</summary>
internal static class AppNeeds
{
    /// <summary>The lack of this machine for an app's worker processes, and the places of the search; null when there is none.</summary>
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
