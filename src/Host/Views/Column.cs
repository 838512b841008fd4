namespace Cocaine.Fast.Host.Views;

/// <summary>A column of a list.</summary>
/// <param name="Title">Its heading.</param>
/// <param name="Text">The text of an item there.</param>
internal sealed record Column<T>(string Title, Func<T, string> Text)
{
    /// <summary>Where there is no room the column with the highest number goes first; 0 stays.</summary>
    public int Drop { get; init; }

    /// <summary>The text of an item there in a terminal, when that is shorter.</summary>
    public Func<T, string>? Short { get; init; }

    /// <summary>Numbers and times stand at the right.</summary>
    public bool IsRight { get; init; }

    /// <summary>It may be cut to so many letters, when it is a text that says something still; 0: a name, which is never cut.</summary>
    public int LeastWidth { get; init; }

    /// <summary>When all items have the same here, it is said once above the list.</summary>
    public bool IsSaidOnce { get; init; }

    /// <summary>In a terminal it is a line of its own below its item's: what is longer than a column should be.</summary>
    public bool IsNote { get; init; }
}
