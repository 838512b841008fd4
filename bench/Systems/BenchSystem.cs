using System.ComponentModel;
using Cocaine.Fast.Bench.Load;

namespace Cocaine.Fast.Bench.Systems;

/// <summary>A server that runs: its processes, and where it listens.</summary>
internal sealed record Started(IReadOnlyList<ServerProcess> Processes, params string[] Endpoints);

/// <summary>A server under measurement: its name in tables, how it is spoken to, and how it starts.</summary>
internal sealed class BenchSystem(string name, string protocol, Func<Task<Started>> start) : IDisposable
{
    private Started _started = new([]);

    public string Name { get; } = name;

    /// <summary>Which load it takes.</summary>
    public string Protocol { get; } = protocol;

    /// <summary>The event that is called of ours.</summary>
    public string Event { get; init; } = "echo";

    /// <summary>Ours: it has info to ask for, and every shape is measured.</summary>
    public bool IsOurs => Protocol == "native";

    /// <summary>What a program costs that does nothing with the bytes.</summary>
    public bool IsLimit => Protocol == "raw";

    public string[] Endpoints => _started.Endpoints;

    public int[] Pids => [.. _started.Processes.Select(process => process.Pid)];

    /// <summary>Starts it; null when it serves, else why it cannot be measured here.</summary>
    public async Task<string?> StartAsync()
    {
        try
        {
            _started = await start();
            return null;
        }
        catch (Win32Exception missing) when (missing.NativeErrorCode == 2)
        {
            return "a program that it needs is not installed (scripts/bench-setup installs it)";
        }
        catch (Exception failure) when (failure is Win32Exception or IOException or TimeoutException)
        {
            return failure.Message;
        }
    }

    /// <summary>A measurement of it.</summary>
    public LoadSpec Spec(int connections, int inFlight, int sizeBytes, double seconds, double warmSeconds, string? protocol = null) =>
        new(protocol ?? Protocol, Endpoints, connections, inFlight, sizeBytes, seconds, warmSeconds, Pids) { Event = Event };

    public void Dispose()
    {
        foreach (ServerProcess process in _started.Processes)
        {
            process.Dispose();
        }
    }
}
