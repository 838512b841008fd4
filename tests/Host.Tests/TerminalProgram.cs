using System.Diagnostics;

namespace Cocaine.Fast.Host.Tests;

/// <summary>The program with a terminal of 80 columns, as <c>script</c> of util-linux makes one.</summary>
internal static class TerminalProgram
{
    public static readonly string Path = System.IO.Path.Combine(Repository.Root, "src/Host/bin/Release/net10.0/cocaine-fast");

    /// <summary>Runs it in a terminal; what the terminal would show, both of its outputs.</summary>
    public static async Task<(int Code, string Shown)> RunAsync(string node, params string[] words)
    {
        string command = string.Join(' ', words.Prepend(Path).Select(word => $"'{word.Replace("'", "'\\''")}'"));
        ProcessStartInfo start = new("/usr/bin/script", ["-qec", $"stty cols 80 rows 24 -onlcr; exec {command}", "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["COCAINE_NODE"] = node;
        start.Environment["TERM"] = "dumb"; // the runtime itself drives others at its start
        start.Environment["SHELL"] = "/bin/sh";
        start.Environment.Remove("COLUMNS");
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromMinutes(2)).Token);
        return (process.ExitCode, await output);
    }
}
