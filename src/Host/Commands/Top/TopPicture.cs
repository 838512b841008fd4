using Cocaine.Fast.Node.Metrics;

namespace Cocaine.Fast.Host.Commands.Top;

/// <summary>The content of the screen of <c>top</c>.</summary>
/// <param name="Answer">The last answer of the node.</param>
/// <param name="All">Every app.</param>
internal sealed record TopPicture(StatsAnswer Answer, IReadOnlyList<TopRow> All)
{
    /// <summary>Begins the line of the chosen app; the terminal shows it in another way.</summary>
    public const string Mark = "\u0001";

    /// <summary>The apps on the screen, in their order.</summary>
    public IReadOnlyList<TopRow> Shown { get; init; } = All;

    /// <summary>The place of the chosen app in <see cref="Shown"/>; -1 = none.</summary>
    public int Chosen { get; init; } = -1;

    /// <summary>The time of the picture.</summary>
    public string Time { get; init; } = "";

    /// <summary>The time between two pictures.</summary>
    public string Every { get; init; } = "";

    /// <summary>The order of the apps.</summary>
    public string Sort { get; init; } = "";

    /// <summary>Only apps with this in their names are shown; empty = all.</summary>
    public string Filter { get; init; } = "";

    /// <summary>The result of the last key.</summary>
    public string Said { get; init; } = "";

    /// <summary>A question to the user, in the place of the state of the screen; null = none.</summary>
    public string? Question { get; init; }

    /// <summary>Keys do something.</summary>
    public bool HasKeys { get; init; }

    /// <summary>Lines below the apps: help, or more about the chosen app.</summary>
    public IReadOnlyList<string> Panel { get; init; } = [];
}
