using Cocaine.Fast.Bench.Systems;

namespace Cocaine.Fast.Bench.Headline;

/// <summary>Who takes part in a shape.</summary>
internal enum Field
{
    Everyone,
    OursAndLimits,
    Ours,
}

/// <summary>Where client and server run.</summary>
internal enum Place
{
    AllCpus,
    OneCpu,
    TwoCpus,
}

/// <summary>One shape of load.</summary>
/// <param name="Connections">Connections.</param>
/// <param name="InFlight">Requests in flight on each.</param>
/// <param name="SizeBytes">Payload of a request; of the answer, where that is streamed.</param>
/// <param name="Field">Who takes part.</param>
/// <param name="Place">The CPUs that client and server share.</param>
/// <param name="IsStream">The answer is streamed and the request small.</param>
internal sealed record Shape(
    int Connections, int InFlight, int SizeBytes, Field Field, Place Place = Place.AllCpus, bool IsStream = false)
{
    /// <summary>The shape that ratios are told of.</summary>
    public static Shape Main { get; } = new(32, 8, 64, Field.Everyone);

    /// <summary>A lone request, where the hand-over between CPUs does not count.</summary>
    public static Shape LonePinned { get; } = new(1, 1, 64, Field.OursAndLimits, Place.OneCpu);

    /// <summary>Connections with one request each: nothing to batch but what comes at once.</summary>
    public static IReadOnlyList<Shape> Wide { get; } = [new(256, 1, 64, Field.Everyone), new(1000, 1, 64, Field.OursAndLimits)];

    /// <summary>Long payloads: what counts is how often a byte is copied.</summary>
    public static Shape Long { get; } = new(32, 8, 64 << 10, Field.OursAndLimits);

    public static Shape Stream { get; } = new(4, 1, 16 << 20, Field.Ours, IsStream: true);

    public static IReadOnlyList<Shape> All { get; } =
    [
        Main,
        LonePinned,
        new(1, 1, 64, Field.Everyone, Place.TwoCpus),
        .. Wide,
        new(32, 8, 1 << 10, Field.OursAndLimits),
        Long,
        Stream,
    ];

    public string Cpus => Place switch
    {
        Place.OneCpu => Systems.Cpus.First,
        Place.TwoCpus => Systems.Cpus.FirstTwo,
        _ => Systems.Cpus.All,
    };

    public override string ToString() =>
        $"{Connections}×{InFlight}, {Size(SizeBytes)}" + (IsStream ? " answer streamed" : "") + Place switch
        {
            Place.OneCpu => ", one CPU",
            Place.TwoCpus => ", two CPUs",
            _ => "",
        };

    public bool Takes(BenchSystem system) => Field switch
    {
        Field.Everyone => true,
        Field.Ours => system.IsOurs,
        _ => system.IsOurs || system.IsLimit,
    };

    private static string Size(int bytes) =>
        bytes >= 1 << 20 ? $"{bytes >> 20} MiB" : bytes >= 1 << 10 ? $"{bytes >> 10} KiB" : $"{bytes} B";
}
