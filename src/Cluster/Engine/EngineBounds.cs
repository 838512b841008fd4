namespace Cocaine.Fast.Cluster.Engine;

/// <summary>The times and sizes of a session with the engine, each with its reason.</summary>
internal static class EngineBounds
{
    /// <summary>A request without an answer for so long is taken for lost: an engine answers in milliseconds, or it restarts.</summary>
    public static readonly TimeSpan Request = TimeSpan.FromSeconds(1);

    /// <summary>How long a connection may take: an engine that does not take one in so long is tried again later.</summary>
    public static readonly TimeSpan Connect = TimeSpan.FromSeconds(2);

    /// <summary>How often a silent connection is asked for a sign; two without an answer end it, after six seconds at the latest.</summary>
    public static readonly TimeSpan Ping = TimeSpan.FromSeconds(2);

    /// <summary>Signs without an answer that end the connection.</summary>
    public const int MostPings = 2;

    /// <summary>
    /// How often the engine tells a watch that it lives: a watch that the engine lost ends the session after two of them.
    /// </summary>
    public static readonly TimeSpan WatchHeartbeat = TimeSpan.FromSeconds(1);

    /// <summary>Requests in a row without an answer that end a session: one may be lost, two are an engine that stands.</summary>
    public const int MostSilences = 2;

    /// <summary>The longest record: the engine refuses 1 MiB, and the rest of a megabyte is for its own headers.</summary>
    public const int LongestValue = 900 * 1024;
}
