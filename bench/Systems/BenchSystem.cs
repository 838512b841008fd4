using Cocaine.Fast.Bench.Load;

namespace Cocaine.Fast.Bench.Systems;

/// <summary>A server under measurement: its name in tables, how it is spoken to, and how it starts.</summary>
internal sealed class BenchSystem(string name, string protocol, Func<Task<(List<ServerProcess> Processes, string Endpoint)>> start)
    : IDisposable
{
    private List<ServerProcess> _processes = [];

    public string Name { get; } = name;

    public string Protocol { get; } = protocol;

    /// <summary>Ours: it has info to ask for, and every shape is measured.</summary>
    public bool IsOurs => Protocol == "native";

    /// <summary>Small enough to be measured with every shape.</summary>
    public bool IsLimit { get; init; }

    public string Endpoint { get; private set; } = "";

    public int[] Pids => [.. _processes.Select(process => process.Pid)];

    /// <summary>Starts it; null when it serves, else why it cannot be measured here.</summary>
    public async Task<string?> StartAsync()
    {
        try
        {
            (_processes, Endpoint) = await start();
            return null;
        }
        catch (Exception failure)
            when (failure is System.ComponentModel.Win32Exception or IOException or TimeoutException or FileNotFoundException)
        {
            return failure.Message;
        }
    }

    public List<int> AllPids() => ProcessTree.All(Pids);

    public void Dispose() => _processes.ForEach(process => process.Dispose());
}
