using System.Globalization;

namespace Cocaine.Fast.Host.Views;

/// <summary>
/// The kind of standard output: a terminal with a number of columns, or a pipe or a file, which has no bound and no colours.
/// </summary>
/// <param name="Columns">Columns of the terminal; null when there is no terminal, or when everything should be shown.</param>
/// <param name="HasColours">The terminal shows colours, and the user wants them.</param>
internal sealed record Screen(int? Columns, bool HasColours)
{
    /// <summary>The columns of a terminal that does not report them.</summary>
    private const int UsualColumns = 80;

    /// <summary>Narrower terminals get lines of this width: no view can be read in less.</summary>
    private const int LeastColumns = 40;

    /// <summary>The screen of this process.</summary>
    public static Screen Current { get; } = Of(Console.IsOutputRedirected, Environment.GetEnvironmentVariable, () => Console.WindowWidth);

    /// <summary>A person looks at the output: it must not control the terminal, and must fit into it.</summary>
    public bool IsTerminal => Columns is not null;

    /// <summary>The same screen without leaving anything out to make lines fit: <c>--wide</c>.</summary>
    public Screen Wide(bool wide) => wide ? this with { Columns = null } : this;

    /// <summary>
    /// A screen from the facts that the process knows. <c>COLUMNS</c> goes before the terminal's own value, and there are no colours with
    /// <c>NO_COLOR</c> (no-color.org) or in a terminal that calls itself <c>dumb</c>.
    /// </summary>
    public static Screen Of(bool isRedirected, Func<string, string?> variable, Func<int> terminalColumns)
    {
        if (isRedirected)
        {
            return new Screen(null, HasColours: false);
        }

        bool isSaid = int.TryParse(variable("COLUMNS"), NumberStyles.None, CultureInfo.InvariantCulture, out int columns) && columns > 0;
        if (!isSaid)
        {
            columns = Asked(terminalColumns);
        }

        bool colours = string.IsNullOrEmpty(variable("NO_COLOR")) && variable("TERM") is not (null or "" or "dumb");
        return new Screen(Math.Max(columns > 0 ? columns : UsualColumns, LeastColumns), colours);
    }

    private static int Asked(Func<int> terminalColumns)
    {
        try
        {
            return terminalColumns();
        }
        catch (Exception failure) when (failure is IOException or PlatformNotSupportedException)
        {
            return UsualColumns; // a terminal that cannot be asked
        }
    }
}
