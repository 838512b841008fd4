using Cocaine.Fast.Client;
using Cocaine.Fast.Host.Terminal;

namespace Cocaine.Fast.Host.Commands;

/// <summary>Turns errors of a command that talks to a node into text on standard error and an exit code.</summary>
internal static class Guarded
{
    /// <summary>Runs a command's work.</summary>
    public static async Task<int> RunAsync(Func<Task<int>> work)
    {
        Interruption.Watch();

        // The parser's library lets a command say that it is interrupted only once the command's task exists. A connect to this host may be
        // done at once, and then the work would go on for long before there is a task.
        await Task.Yield();
        try
        {
            return await work();
        }
        catch (CocaineException failure)
        {
            Complaint.SayOfPeer($"error {failure.Code}: {failure.Message}{Details(failure)}");
            return ExitCodes.Failed;
        }
        catch (ConnectionLostException failure)
        {
            Complaint.SayOfPeer(failure.Message);
            return ExitCodes.NoConnection;
        }
        catch (Exception failure) when (failure is FormatException or FileNotFoundException or DirectoryNotFoundException
            or UnauthorizedAccessException)
        {
            Complaint.SayOfPeer(failure.Message);
            return ExitCodes.Invalid;
        }
        catch (IOException failure)
        {
            Complaint.SayOfPeer(failure.Message); // a full disk behind standard output
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            Complaint.Say("interrupted");
            return ExitCodes.Interrupted;
        }
    }

    /// <summary>The job and the hint of the node's error: <c> (job 17; retry after 2 s)</c>.</summary>
    private static string Details(CocaineException failure)
    {
        string job = failure.JobId > 0 ? FormattableString.Invariant($"job {failure.JobId}") : "";
        string retry = failure.RetryAfter is { } time ? FormattableString.Invariant($"retry after {time.TotalSeconds:0} s") : "";
        string both = job.Length > 0 && retry.Length > 0 ? $"{job}; {retry}" : job + retry;
        return both.Length > 0 ? $" ({both})" : "";
    }
}
