namespace Cocaine.Fast.Tools.Chaos;

/// <summary>The settings of a chaos run.</summary>
public sealed record ChaosOptions
{
    /// <summary>The app's manifest.</summary>
    public required string ManifestPath { get; init; }

    /// <summary>The command line that starts <c>cocaine-fast</c>: the program, and the words before its own arguments.</summary>
    public required IReadOnlyList<string> Program { get; init; }

    /// <summary>The number that determines the actions and their order.</summary>
    public int Seed { get; init; }

    /// <summary>How long the run breaks parts. The start and the checks at the end come on top.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Actions in a second, on average.</summary>
    public double ActionsPerSecond { get; init; } = 2;

    /// <summary>Connections that put load on the app.</summary>
    public int Connections { get; init; } = 8;

    /// <summary>Requests in flight on each connection.</summary>
    public int InFlight { get; init; } = 8;

    /// <summary>Requests a second over all connections; 0 = as many as are answered.</summary>
    public int RequestsPerSecond { get; init; } = 2000;

    /// <summary>The event to call; null = the first event of the first native-server.</summary>
    public string? Event { get; init; }

    /// <summary>The event returns its request, so every byte of an answer is checked.</summary>
    public bool Echoes { get; init; } = true;

    /// <summary>An event whose handler ends its worker in the middle of an answer; null when the app has no such event.</summary>
    public string? ExitEvent { get; init; }

    /// <summary>Kill and restart the node itself too.</summary>
    public bool KillsNode { get; init; } = true;

    /// <summary>Scribble on the workers' shared memory too.</summary>
    public bool Scribbles { get; init; } = true;

    /// <summary>The task's door has TLS and wants certificates of clients; all certificates are renewed in the run.</summary>
    public bool UsesTls { get; init; }

    /// <summary>Time between two looks at the node's memory, descriptors and threads.</summary>
    public TimeSpan SampleEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>File for the node's log; null = a file that is removed after a run without faults.</summary>
    public string? LogPath { get; init; }

    /// <summary>Gets a line for each action.</summary>
    public TextWriter Progress { get; init; } = TextWriter.Null;
}

/// <summary>How often an action was done, and why it was not.</summary>
public sealed record ChaosActionCount(string Name, int Done, int Skipped, string Note);

/// <summary>The node's resources at one moment.</summary>
/// <param name="Seconds">Time since the begin of the run, s.</param>
/// <param name="Node">The number of the node's start, from 1.</param>
/// <param name="RssBytes">Resident memory.</param>
/// <param name="Descriptors">Open descriptors; null when the user of the run may not see them.</param>
/// <param name="Threads">Threads.</param>
/// <param name="Workers">Worker processes.</param>
public sealed record ChaosSample(double Seconds, int Node, long RssBytes, int? Descriptors, int Threads, int Workers);

/// <summary>The result of a chaos run.</summary>
public sealed record ChaosResult
{
    /// <summary>The actions that were done.</summary>
    public required IReadOnlyList<ChaosActionCount> Actions { get; init; }

    /// <summary>How requests ended, as seen by their clients.</summary>
    public required IReadOnlyDictionary<string, long> Outcomes { get; init; }

    /// <summary>Times of the successful requests, ms: p50, p99, longest.</summary>
    public required (double P50, double P99, double Max) LatencyMs { get; init; }

    /// <summary>How often the node's counters were checked.</summary>
    public required int CounterChecks { get; init; }

    /// <summary>Starts of the node.</summary>
    public required int NodeStarts { get; init; }

    /// <summary>The node's resources over time.</summary>
    public required IReadOnlyList<ChaosSample> Samples { get; init; }

    /// <summary>Broken promises; empty after a run without faults.</summary>
    public required IReadOnlyList<string> Faults { get; init; }

    /// <summary>Promises that the user of the run may not check, with the reasons; mostly empty.</summary>
    public required IReadOnlyList<string> Unchecked { get; init; }

    /// <summary>The node's log, when it was kept.</summary>
    public string? LogPath { get; init; }
}
