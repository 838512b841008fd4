using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Cocaine.Fast.Worker.Serving;

/// <summary>
/// A worker process's report on stderr at SIGUSR2, which the node sends before it kills a hung slave: the worker's jobs and their times,
/// and the kernel's facts about each thread. The runtime does not give another thread's managed stack; <c>dotnet-stack</c> does.
/// </summary>
internal static class StackReport
{
    private const PosixSignal User2 = (PosixSignal)12; // SIGUSR2 has no name in .NET; a raw number works on Unix

    /// <summary>Describes the jobs; the loop sets it once it is made.</summary>
    public static Func<string> Jobs { get; set; } = static () => "  it starts";

    /// <summary>
    /// Listens until the returned object is disposed of. It must start before the handshake, since a worker without a handler dies of the
    /// signal. The handler runs on the thread pool, so it works beside a hung loop; when the app has filled the pool, it runs after the
    /// app's own work.
    /// </summary>
    public static PosixSignalRegistration Listen() => PosixSignalRegistration.Create(User2, context =>
    {
        context.Cancel = true;
        FailureText.PrintLine(Text(Jobs()));
    });

    private static string Text(string jobs)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"what this worker does (process {Environment.ProcessId}):\n{jobs}\n");
        text.Append(CultureInfo.InvariantCulture,
            $"  thread pool: {ThreadPool.ThreadCount} threads, {ThreadPool.PendingWorkItemCount} items of work wait\n");
        foreach (string task in Tasks().Take(Limits.StackThreads))
        {
            text.Append(CultureInfo.InvariantCulture,
                $"  thread {Path.GetFileName(task)} {Read(task, "comm")}: {State(task)}, in the kernel at {Read(task, "wchan")}\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"  managed stacks: dotnet-stack report -p {Environment.ProcessId}, while it lives");
        return text.ToString();
    }

    private static string[] Tasks()
    {
        try
        {
            return Directory.GetDirectories("/proc/self/task");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>R, S, D ... of proc(5), as words, and the CPU time of the thread.</summary>
    private static string State(string task)
    {
        string stat = Read(task, "stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        const int StateField = 0, UserField = 11, SystemField = 12, TicksPerSecond = 100;
        if (fields.Length <= SystemField)
        {
            return "gone";
        }

        string word = fields[StateField] switch
        {
            "R" => "runs",
            "S" => "sleeps",
            "D" => "waits for a disk",
            "T" or "t" => "is stopped",
            string other => other,
        };
        double seconds = (double.Parse(fields[UserField], CultureInfo.InvariantCulture)
            + double.Parse(fields[SystemField], CultureInfo.InvariantCulture)) / TicksPerSecond;
        return string.Create(CultureInfo.InvariantCulture, $"{word}, {seconds:0.00} s of CPU");
    }

    private static string Read(string task, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, file)).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return "?"; // the thread has ended, or the kernel does not tell
        }
    }
}
