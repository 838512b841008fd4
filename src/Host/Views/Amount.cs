using System.Globalization;

namespace Cocaine.Fast.Host.Views;

/// <summary>Numbers and sizes in the usual form for people.</summary>
internal static class Amount
{
    private static readonly string[] Units = ["KiB", "MiB", "GiB", "TiB"];

    /// <summary>41,302</summary>
    public static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>"1 job", "41,302 jobs".</summary>
    public static string Of(long number, string one) => $"{Count(number)} {one}{(number == 1 ? "" : "s")}";

    /// <summary>512 B, 1.5 KiB, 18 MiB</summary>
    public static string Size(long bytes)
    {
        if (bytes < 1024)
        {
            return FormattableString.Invariant($"{bytes} B");
        }

        double size = bytes / 1024.0;
        int unit = 0;
        for (; size >= 1023.5 && unit < Units.Length - 1; unit++)
        {
            size /= 1024;
        }

        return FormattableString.Invariant($"{size.ToString(size < 9.95 ? "0.#" : "0", CultureInfo.InvariantCulture)} {Units[unit]}");
    }
}
