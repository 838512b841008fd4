using System.Diagnostics;
using System.Text.Json;
using Cocaine.Fast.Bench.Systems;

namespace Cocaine.Fast.Bench.Load;

/// <summary>The client's process, from the suite's side.</summary>
internal sealed class AgentProcess : IDisposable
{
    /// <summary>Longer than any measurement takes, its connections included.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    private AgentProcess(Process process) => _process = process;

    public int Pid => _process.Id;

    public static AgentProcess Start()
    {
        ProcessStartInfo start = ServerProcess.OwnRole("agent");
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        return new AgentProcess(Process.Start(start)!);
    }

    public async Task<LoadFigures> AskAsync(LoadSpec spec)
    {
        await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(spec));
        await _process.StandardInput.FlushAsync();
        string? line = await _process.StandardOutput.ReadLineAsync().WaitAsync(AnswerTimeout);
        return line is null ? LoadFigures.Failed("the load agent ended") : JsonSerializer.Deserialize<LoadFigures>(line)!;
    }

    public void Dispose()
    {
        _process.StandardInput.Close(); // it ends with its input
        if (!_process.WaitForExit(1000))
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}
