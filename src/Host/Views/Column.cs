namespace Cocaine.Fast.Host.Views;

/// <summary>A column of a list.</summary>
/// <param name="Title">The column's heading.</param>
/// <param name="Text">The text of an item in this column.</param>
internal sealed record Column<T>(string Title, Func<T, string> Text)
{
    /// <summary>Without enough room, the column with the highest number is dropped first; 0 stays.</summary>
    public int Drop { get; init; }

    /// <summary>The shorter text of an item for a terminal, when there is one.</summary>
    public Func<T, string>? Short { get; init; }

    /// <summary>Numbers and times are aligned to the right.</summary>
    public bool IsRight { get; init; }

    /// <summary>The least letters to which a text may be cut and still be useful; 0 for a name, which is never cut.</summary>
    public int LeastWidth { get; init; }

    /// <summary>When all items have the same value, it is printed once above the list.</summary>
    public bool IsSaidOnce { get; init; }

    /// <summary>In a terminal, the column is a line of its own below its item's line: for texts too long for a column.</summary>
    public bool IsNote { get; init; }
}
