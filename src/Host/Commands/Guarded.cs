using Cocaine.Fast.Client;

namespace Cocaine.Fast.Host.Commands;

/// <summary>What goes wrong in a command that talks to a node, as text on standard error and an exit code.</summary>
internal static class Guarded
{
    /// <summary>Runs a command's work.</summary>
    public static async Task<int> RunAsync(Func<Task<int>> work)
    {
        try
        {
            return await work();
        }
        catch (CocaineException failure)
        {
            Console.Error.WriteLine($"error {failure.Code}: {failure.Message}");
            return ExitCodes.Failed;
        }
        catch (ConnectionLostException failure)
        {
            Console.Error.WriteLine(failure.Message);
            return ExitCodes.NoConnection;
        }
        catch (Exception failure) when (failure is FormatException or FileNotFoundException or DirectoryNotFoundException
            or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(failure.Message);
            return ExitCodes.Invalid;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("interrupted");
            return ExitCodes.Failed;
        }
    }
}
