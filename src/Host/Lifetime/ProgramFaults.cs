using Cocaine.Fast.Host.Terminal;

namespace Cocaine.Fast.Host.Lifetime;

/// <summary>Handles exceptions that no command has caught: prints words that help a user, and returns an exit code.</summary>
internal static class ProgramFaults
{
    /// <summary>Runs the command; returns the exit code. The method never throws.</summary>
    public static async Task<int> GuardAsync(Func<Task<int>> command)
    {
        AppDomain.CurrentDomain.UnhandledException += (_, fault) => Complaint.Say(
            $"cocaine-fast ends: a thread failed in a way that nobody expected: {(fault.ExceptionObject as Exception)?.Message}. "
            + "Please report this with what follows");
        try
        {
            int code = await command();
            await Console.Out.FlushAsync();
            return code;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            Complaint.Say(failure.Message); // usually a failure of standard output: a full disk, a closed stream
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            Complaint.Say("interrupted");
            return ExitCodes.Interrupted;
        }
        catch (Exception fault)
        {
            Complaint.Say($"cocaine-fast failed in a way that nobody expected. Please report this with the stack:\n{fault}");
            return ExitCodes.Failed;
        }
    }
}
