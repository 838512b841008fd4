using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;

namespace Cocaine.Fast.Node.Control;

/// <summary>The wait for an app that was created.</summary>
internal static class ReadyWait
{
    /// <summary>
    /// Waits for the first slave, for as long as its start may take. Returns the reason when there is none, or null. The call holds nothing
    /// meanwhile: others may replace or delete the app.
    /// </summary>
    public static async Task<string?> OfAsync(RunningApp app, CancellationToken gone)
    {
        long limitMs = app.Manifest.Engine.StartupTimeoutMs;
        Task first;
        try
        {
            TimeSpan limit = TimeSpan.FromMilliseconds(Math.Min(limitMs, int.MaxValue)); // WaitAsync takes at most 49 days
            first = await Task.WhenAny(app.Ready, app.Ended).WaitAsync(limit, NodeClock.Instance, gone);
            await first;
        }
        catch (TimeoutException)
        {
            return FormattableString.Invariant($"no slave was ready within the startup-timeout of {limitMs / 1000.0} s");
        }
        catch (NodeException broken)
        {
            return broken.Message;
        }

        return first == app.Ready ? null
            : throw new NodeException($"app {app.Name} was deleted before its first slave was ready") { Code = ErrorCodes.NotFound };
    }
}
