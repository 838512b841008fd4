using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Timing;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Core.Jobs;

/// <summary>
/// The parts of one app's engine that its jobs, slaves and pool share: name and settings, the loop that the engine lives on, log, counters
/// and records, and the waiting jobs. Lives on the loop.
/// </summary>
internal sealed class EngineScope
{
    /// <summary>The app's name.</summary>
    public required string Name { get; init; }

    /// <summary>The engine's settings from the manifest.</summary>
    public required EngineSettings Settings { get; init; }

    /// <summary>
    /// Jobs in one slave at the same time: the settings', or what the last slave that became ready wished for and got.
    /// </summary>
    public int Concurrency { get => Math.Max(field, Settings.Concurrency); set; }

    /// <summary>The concurrency is the workers' wish.</summary>
    public bool IsConcurrencyWished => Concurrency > Settings.Concurrency;

    /// <summary>The loop that the engine lives on.</summary>
    public required IEngineLoop Loop { get; init; }

    /// <summary>The app's log.</summary>
    public required ILogger Log { get; init; }

    /// <summary>Counters of everything that happened.</summary>
    public required EngineCounters Counters { get; init; }

    /// <summary>Records that outlive the engine.</summary>
    public required EngineRecords Records { get; init; }

    /// <summary>Jobs that wait for a slave.</summary>
    public required JobQueue Queue { get; init; }

    /// <summary>The engines on the app's other loops; null when the app lives on one. Set before the engine starts.</summary>
    public ISiblings? Siblings { get; set; }

    /// <summary>The other nodes; null on a node that has none.</summary>
    public IForwarder? Forwarder { get; set; }

    /// <summary>The node takes no new work, and its clients hear of it.</summary>
    public bool IsNodeDraining => NodeDrains?.Invoke() == true;

    /// <summary>Tells whether the node drains; null when it does not belong to a cluster.</summary>
    public Func<bool>? NodeDrains { get; set; }

    /// <summary>The mean time of a job on a slave.</summary>
    public ServiceMean Mean { get; } = new();

    /// <summary>The engine refuses new jobs until it is resumed; accepted jobs go on.</summary>
    public bool IsPaused { get; set; }

    /// <summary>The engine does not refuse new jobs outright.</summary>
    public bool IsTaking => State == EngineState.Running && !IsPaused;

    /// <summary>The engine's state.</summary>
    public EngineState State { get; private set; } = EngineState.Running;

    /// <summary>The only method that changes <see cref="State"/>.</summary>
    public void MoveTo(EngineState next)
    {
        bool legal = (State, next) switch
        {
            (EngineState.Running, EngineState.Draining or EngineState.Stopped) => true,
            (EngineState.Draining, EngineState.Stopped) => true,
            (EngineState.Stopped, EngineState.Stopped) => true,
            _ => false,
        };
        if (!legal)
        {
            throw new InvalidOperationException($"the engine of {Name} cannot go from {State} to {next}");
        }

        State = next;
    }
}
