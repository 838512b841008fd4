namespace Cocaine.Fast.Transport.Sockets;

/// <summary>
/// Connections of a door that has no place for them: each waits for its client's call, and answers that with the refusal. All members are
/// for the loop's thread.
/// </summary>
/// <param name="most">The most that wait; one more is closed without words.</param>
internal sealed class TurnedAway(int most)
{
    /// <summary>The longest silence of a connection that waits, ms: a client calls as soon as it is connected.</summary>
    private const int SilenceMs = 5_000;

    private readonly HashSet<DoorConnection> _waiting = [];

    /// <summary>Refuses a connection that has not begun.</summary>
    public void Add(DoorConnection connection, int code, string problem)
    {
        if (_waiting.Count >= most)
        {
            connection.Close(problem);
        }
        else
        {
            _waiting.Add(connection);
            connection.TurnAway(code, problem, SilenceMs);
        }
    }

    /// <summary>A connection has ended, which may not be in.</summary>
    public void Remove(DoorConnection connection) => _waiting.Remove(connection);

    /// <summary>The door closes.</summary>
    public void Close(string reason)
    {
        foreach (DoorConnection connection in _waiting.ToArray())
        {
            connection.Close(reason);
        }
    }
}
