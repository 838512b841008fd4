using System.Diagnostics;

namespace Cocaine.Fast.Host.Tests.Survival;

/// <summary>
/// The program as a shell starts it, so that its streams may be full, closed or files, and its limits low. Standard error goes into a file
/// unless the command line says otherwise; the process that is seen is the program itself.
/// </summary>
internal sealed class HostProcess : IDisposable
{
    public static readonly string Program = ServeProcess.Program;
    public static readonly string Echo = Path.Combine(Repository.Root, "examples/echo/manifest.json");

    /// <summary>Slow machines start a node and a worker within this.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly string _output;
    private readonly string _errors;

    private HostProcess(Process process, string output, string errors)
    {
        Process = process;
        _output = output;
        _errors = errors;
    }

    public Process Process { get; }

    public string Output => File.Exists(_output) ? File.ReadAllText(_output) : "";

    public string Errors => File.Exists(_errors) ? File.ReadAllText(_errors) : "";

    /// <summary>Starts it with words as a shell reads them, redirections among them.</summary>
    /// <param name="folder">For the files of its streams.</param>
    /// <param name="words">After the program's name: <c>run x.json >/dev/full</c>.</param>
    /// <param name="before">What stands before the program: <c>ulimit -n 64;</c>, or <c>env X=y</c> after a semicolon.</param>
    /// <param name="wrapper">Words that start it: <c>setpriv --reuid 1234</c>.</param>
    public static HostProcess Start(TestFolder folder, string words, string before = "", string wrapper = "")
    {
        string id = Guid.NewGuid().ToString("N")[..8], output = folder[$"{id}.out"], errors = folder[$"{id}.err"];
        File.WriteAllText(output, ""); // by the test's user, whoever the program is
        File.WriteAllText(errors, "");
        // A shell that runs the tests in the background has them ignore these signals, and so would the program.
        string script = $"exec >>'{output}' 2>>'{errors}'; {before} exec env --default-signal=INT,QUIT {wrapper} '{Program}' {words}";
        Process process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", script]) { RedirectStandardInput = true })!;
        return new HostProcess(process, output, errors);
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int Code, string Output, string Errors)> RunAsync(
        TestFolder folder, string words, string before = "", string wrapper = "")
    {
        using HostProcess host = Start(folder, words, before, wrapper);
        return (await host.ExitAsync(), host.Output, host.Errors);
    }

    /// <summary>Waits until one of its streams has one of the texts; the line that has it.</summary>
    public async Task<string> UntilAsync(params string[] texts)
    {
        using CancellationTokenSource late = new(Limit);
        while (true)
        {
            bool hasEnded = Process.HasExited; // before the look: what it wrote last is seen
            if ((Output + Errors).Split('\n').FirstOrDefault(line => texts.Any(line.Contains)) is { } found)
            {
                return found;
            }

            Assert.False(hasEnded, $"it ended with {(hasEnded ? Process.ExitCode : 0)} and no line '{string.Join("' or '", texts)}' came:\n{Output}\n{Errors}");
            Assert.False(late.IsCancellationRequested, $"no line '{string.Join("' or '", texts)}' came:\n{Output}\n{Errors}");
            await Task.Delay(10); // files tell nobody when they grow
        }
    }

    /// <summary>Waits until the echo example is ready; its endpoint.</summary>
    public async Task<string> UntilReadyAsync()
    {
        string line = await UntilAsync("ready app=");
        return line[(line.IndexOf("endpoint=", StringComparison.Ordinal) + "endpoint=".Length)..];
    }

    public void Signal(string signal)
    {
        using Process kill = Process.Start("/bin/kill", [$"-{signal}", $"{Process.Id}"]);
        kill.WaitForExit();
    }

    public async Task<int> ExitAsync()
    {
        using CancellationTokenSource late = new(Limit);
        try
        {
            await Process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"it did not end within {Limit.TotalSeconds} s:\n{Output}\n{Errors}");
        }

        return Process.ExitCode;
    }

    public void Dispose()
    {
        if (!Process.HasExited)
        {
            Process.Kill(entireProcessTree: true);
            Process.WaitForExit();
        }

        Process.Dispose();
    }
}
