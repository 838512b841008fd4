using System.Globalization;

namespace Cocaine.Fast.Host.Views;

/// <summary>The kind of standard output: a terminal of so many columns, or a pipe or a file, which has no bound and no colours.</summary>
/// <param name="Columns">Columns of the terminal; null when it is none, or when all is to be shown.</param>
/// <param name="HasColours">It shows colours, and the user wants them.</param>
internal sealed record Screen(int? Columns, bool HasColours)
{
    /// <summary>The columns of a terminal that does not tell.</summary>
    private const int UsualColumns = 80;

    /// <summary>Narrower ones are written to as if they had so many: no view can be read in less.</summary>
    private const int LeastColumns = 40;

    /// <summary>Of this process.</summary>
    public static Screen Current { get; } = Of(Console.IsOutputRedirected, Environment.GetEnvironmentVariable, () => Console.WindowWidth);

    /// <summary>Somebody looks at it: what is written must not drive the terminal, and fits into it.</summary>
    public bool IsTerminal => Columns is not null;

    /// <summary>The same, but nothing is left out to make lines fit: <c>--wide</c>.</summary>
    public Screen Wide(bool wide) => wide ? this with { Columns = null } : this;

    /// <summary>
    /// A screen by what the process knows of it. <c>COLUMNS</c> goes before what the terminal says, and <c>NO_COLOR</c> (no-color.org) and
    /// a terminal that calls itself <c>dumb</c> have no colours.
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
