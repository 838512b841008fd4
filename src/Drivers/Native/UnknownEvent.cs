using System.Text;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>The text for a caller of an event that an endpoint does not serve: the endpoint's names and the nearest of them.</summary>
internal static class UnknownEvent
{
    /// <summary>The text for callers that ask again and again: it costs nothing.</summary>
    public const string Short = "no such event here";

    /// <summary>
    /// Refusals of one connection that get an explanation: a person needs one. The search for the nearest name takes some tens of
    /// microseconds of the loop, so a peer that makes up names must not get a search for each.
    /// </summary>
    public const int MaxExplained = 16;

    /// <summary>Names that are listed and compared: more than most endpoints have, and a text of a few hundred bytes.</summary>
    private const int MaxListed = 16;

    /// <summary>A longer name is not near to any name.</summary>
    private const int MaxComparedBytes = 40;

    /// <summary>The text.</summary>
    /// <param name="name">The name in the call.</param>
    /// <param name="here">The names that the caller can use.</param>
    public static string Explain(ReadOnlySpan<byte> name, IReadOnlyList<string> here)
    {
        if (here.Count == 0)
        {
            return $"{Short}: an event's name has 1 to 256 bytes"; // every name is served
        }

        string[] listed = [.. here.Distinct().Take(MaxListed)];
        string more = here.Count > listed.Length ? $" and {here.Count - listed.Length} more" : "";
        string near = name.Length <= MaxComparedBytes ? ProblemList.Nearest(Encoding.UTF8.GetString(name), listed) : "";
        return $"{Short}; events here: {string.Join(", ", listed)}{more}{near}";
    }
}
