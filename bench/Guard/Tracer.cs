using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Cocaine.Fast.Bench.Guard;

/// <summary>Counts with strace and perf what a process does meanwhile; says why where that is not possible.</summary>
internal static class Tracer
{
    private static readonly TimeSpan AttachTimeout = TimeSpan.FromSeconds(10);

    /// <summary>System calls by name while <paramref name="work"/> runs; or null and the reason.</summary>
    public static async Task<(Dictionary<string, long>? Calls, string Why)> SystemCallsAsync(int pid, Func<Task> work)
    {
        (string? output, string why) = await UnderAsync("strace", ["-c", "-f", "-p", $"{pid}"], "attached", work);
        if (output is null)
        {
            return (null, why);
        }

        // % time, seconds, usecs/call, calls, errors (may be blank), name
        Dictionary<string, long> calls = [];
        foreach (string[] words in output.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
        {
            if (words.Length is 5 or 6 && words[^1] != "total" && double.TryParse(words[0], CultureInfo.InvariantCulture, out _)
                && long.TryParse(words[3], out long count))
            {
                calls[words[^1]] = count;
            }
        }

        return (calls, "");
    }

    /// <summary>Instructions in user mode while <paramref name="work"/> runs; or null and the reason.</summary>
    public static async Task<(double? Instructions, string Why)> InstructionsAsync(int pid, Func<Task> work)
    {
        // perf says nothing when it has attached; its counters are there before it waits for its own command.
        (string? output, string why) = await UnderAsync("perf", ["stat", "-x,", "-e", "instructions:u", "-p", $"{pid}"], null, work);
        string? line = output?.Split('\n').FirstOrDefault(text => text.Contains("instructions", StringComparison.Ordinal));
        return line is null ? (null, why.Length > 0 ? why : $"perf stat printed no count: {output!.Trim()}")
            : double.TryParse(line.Split(',')[0], CultureInfo.InvariantCulture, out double count) ? (count, "")
            : (null, $"perf stat: instructions are {line.Split(',')[0]} on this machine");
    }

    /// <summary>Runs a tool on a process, the work under it, ends the tool, and gives what it wrote.</summary>
    private static async Task<(string? Output, string Why)> UnderAsync(string tool, string[] arguments, string? attached, Func<Task> work)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(tool, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            List<string> lines = [];
            TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
            process.OutputDataReceived += (_, _) => { };
            process.ErrorDataReceived += (_, line) =>
            {
                lock (lines)
                {
                    lines.Add(line.Data ?? "");
                }

                if (line.Data is null || attached is null || line.Data.Contains(attached, StringComparison.Ordinal))
                {
                    ready.TrySetResult();
                }
            };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            await Task.WhenAny(ready.Task, Task.Delay(attached is null ? TimeSpan.FromSeconds(0.5) : AttachTimeout));
            if (!process.HasExited)
            {
                await work();
                using Process interrupt = Process.Start("kill", ["-INT", $"{process.Id}"]);
                await interrupt.WaitForExitAsync();
            }

            await process.WaitForExitAsync();
            lock (lines)
            {
                string text = string.Join('\n', lines);
                bool refused = text.Contains("not permitted", StringComparison.OrdinalIgnoreCase);
                return refused ? (null, $"{tool}: not permitted here") : (text, "");
            }
        }
        catch (Win32Exception)
        {
            return (null, $"{tool} is not installed (scripts/bench-setup installs it)");
        }
    }
}
