using System.Diagnostics;

namespace Cocaine.Fast.Bench.Systems;

/// <summary>Installs the programs that are compared with, so that no row is silently absent.</summary>
internal static class Setup
{
    /// <summary>Installing takes a minute; a mirror that does not answer must not keep the benchmark for ever.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(5);

    /// <summary>Runs scripts/bench-setup: as root it installs what is missing, otherwise it says what to install.</summary>
    public static async Task InstallAsync()
    {
        using Process setup = Process.Start(Path.Combine(Catalog.Root, "scripts/bench-setup"));
        using CancellationTokenSource timeout = new(Timeout);
        try
        {
            await setup.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            setup.Kill(entireProcessTree: true);
            Console.Error.WriteLine($"scripts/bench-setup did not end in {Timeout.TotalMinutes:F0} minutes: run it by hand");
        }

        if (setup.HasExited && setup.ExitCode != 0)
        {
            Console.Error.WriteLine("scripts/bench-setup failed: rows of missing programs are skipped, and named at the end");
        }
    }
}
