using System.Globalization;
using System.Text;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Worker.Serving;

/// <summary>The jobs of a session as text for people.</summary>
internal static class JobReport
{
    /// <summary>
    /// The running jobs, a line for each; from any thread, while the loop may change them: entries that change meanwhile are left out.
    /// </summary>
    /// <param name="jobs">The session's channels.</param>
    /// <param name="handling">The channel whose handler was started and has not come back, or null.</param>
    public static string Describe(ChannelTable<WorkerChannel> jobs, WorkerChannel? handling)
    {
        StringBuilder text = new();
        try
        {
            List<WorkerChannel> channels = jobs.ToList();
            long now = Environment.TickCount64;
            foreach (WorkerChannel channel in channels.Where(channel => !channel.Ended).Take(Limits.StackCalls))
            {
                string what = channel == handling ? "runs on the slave's thread"
                    : channel.StartedMs == 0 ? "waits to be started" : "awaits something";
                long ms = channel.StartedMs == 0 ? 0 : now - channel.StartedMs;
                string name = channel.Event.Name;
                text.Append(CultureInfo.InvariantCulture, $"  event '{name}', channel {channel.Number}: {what}, for {ms} ms\n");
            }

            text.Append(CultureInfo.InvariantCulture, $"  {channels.Count} jobs in all");
        }
        catch (Exception torn)
            when (torn is InvalidOperationException or NullReferenceException or IndexOutOfRangeException or ArgumentException)
        {
            text.Append("  (the list of jobs changed while it was read)");
        }

        return text.ToString();
    }
}
