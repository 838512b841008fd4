using Cocaine.Fast.Bench.Systems;

namespace Cocaine.Fast.Bench.Languages;

/// <summary>A language's echo on one pipe, and what it must reach.</summary>
/// <param name="System">The node with it.</param>
internal sealed record Language(BenchSystem System)
{
    /// <summary>Requests/s at the least; 0 = no aim.</summary>
    public double LeastRequests { get; init; }

    /// <summary>The same as a share of the reference's; 0 = no such aim.</summary>
    public double LeastOfReference { get; init; }

    /// <summary>What shares are told of: the .NET process.</summary>
    public bool IsReference { get; init; }

    public static List<Language> All() =>
    [
        new(new OurNode("dotnet", "process").Named(".NET, process")) { IsReference = true },
        new(new OurNode("dotnet", "process") { Pipe = false }.Named(".NET, process on its socket")),
        new(new OurNode("dotnet", "thread").Named(".NET, thread")),
        new(new OurNode("cpp", "process").Named("C++, process")) { LeastOfReference = 0.9 },
        new(new OurNode("cpp", "process") { Pipe = false }.Named("C++, process on its socket")),
        new(new OurNode("cpp", "thread").Named("C++, thread")),
        new(new OurNode("python", "process").Named("Python")) { LeastRequests = 250_000 },
        new(new OurNode("python", "process") { Pipe = false }.Named("Python on its socket")) { LeastRequests = 120_000 },
        new(new OurNode("javascript", "process") { Pipe = false }.Named("JavaScript on its socket")) { LeastRequests = 120_000 },
        new(new OurNode("perl", "process") { Pipe = false }.Named("Perl on its socket")) { LeastRequests = 60_000 },
    ];
}
