using Cocaine.Fast.Host.Terminal;

namespace Cocaine.Fast.Host.Lifetime;

/// <summary>Exceptions that no command has caught: told in words that a user can do something with, and an exit code.</summary>
internal static class ProgramFaults
{
    /// <summary>Runs the command; the exit code. It never throws.</summary>
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
            Complaint.Say(failure.Message); // most often of standard output: a full disk, a stream that is closed
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            Complaint.Say("interrupted");
            return ExitCodes.Failed;
        }
        catch (Exception fault)
        {
            Complaint.Say($"cocaine-fast failed in a way that nobody expected. Please report this with the stack:\n{fault}");
            return ExitCodes.Failed;
        }
    }
}
