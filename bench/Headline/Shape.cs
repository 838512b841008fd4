using Cocaine.Fast.Bench.Systems;

namespace Cocaine.Fast.Bench.Headline;

/// <summary>Who takes part in a shape.</summary>
internal enum Field
{
    Everyone,
    OursAndLimits,
    Ours,
}

/// <summary>One shape of load.</summary>
/// <param name="Connections">Connections.</param>
/// <param name="InFlight">Requests in flight on each.</param>
/// <param name="SizeBytes">Payload of a request; of the answer, where that is streamed.</param>
/// <param name="Field">Who takes part.</param>
/// <param name="OneCpu">Client and server share one CPU; else they have all.</param>
/// <param name="IsStream">The answer is streamed and the request small.</param>
internal sealed record Shape(int Connections, int InFlight, int SizeBytes, Field Field, bool OneCpu = false, bool IsStream = false)
{
    /// <summary>The shape that ratios are told of.</summary>
    public static Shape Main { get; } = new(32, 8, 64, Field.Everyone);

    public static IReadOnlyList<Shape> All { get; } =
    [
        Main,
        new(1, 1, 64, Field.OursAndLimits, OneCpu: true),
        new(1, 1, 64, Field.OursAndLimits),
        new(256, 1, 64, Field.OursAndLimits),
        new(1000, 1, 64, Field.OursAndLimits),
        new(32, 8, 1 << 10, Field.OursAndLimits),
        new(32, 8, 64 << 10, Field.OursAndLimits),
        new(4, 1, 16 << 20, Field.Ours, IsStream: true),
    ];

    public override string ToString() => IsStream
        ? $"{Connections}×{InFlight}, {Size(SizeBytes)} answer streamed"
        : $"{Connections}×{InFlight}, {Size(SizeBytes)}{(Connections == 1 ? OneCpu ? ", one CPU" : ", all CPUs" : "")}";

    public bool Takes(BenchSystem system) => Field switch
    {
        Field.Everyone => true,
        Field.Ours => system.IsOurs,
        _ => system.IsOurs || system.IsLimit,
    };

    private static string Size(int bytes) =>
        bytes >= 1 << 20 ? $"{bytes >> 20} MiB" : bytes >= 1 << 10 ? $"{bytes >> 10} KiB" : $"{bytes} B";
}
