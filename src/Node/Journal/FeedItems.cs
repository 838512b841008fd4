namespace Cocaine.Fast.Node.Journal;

/// <summary>A line that a worker of an app wrote.</summary>
/// <param name="Time">The time of the line, in UTC.</param>
/// <param name="App">The app.</param>
/// <param name="Slave">The short id of the slave.</param>
/// <param name="IsError">True when the line came on standard error.</param>
/// <param name="Text">The line, without its end.</param>
/// <param name="Lost">The number of lines right before this one that the reader was too slow for.</param>
public sealed record LogLine(DateTimeOffset Time, string App, string Slave, bool IsError, string Text, long Lost = 0);

/// <summary>A decision or an observation of the node: a line of its log, in a form for programs.</summary>
/// <param name="Time">The time of the event, in UTC.</param>
/// <param name="App">The app; empty when the event is about the node itself.</param>
/// <param name="Number">The number of the log event, which does not change between releases.</param>
/// <param name="Kind">The event's name: <c>grows</c>, <c>died</c>, <c>replaced</c>.</param>
/// <param name="Level">information, warning or error.</param>
/// <param name="Text">The log line.</param>
/// <param name="Fields">The event's values by name.</param>
/// <param name="Lost">The number of events right before this one that the reader was too slow for.</param>
public sealed record NodeEvent(
    DateTimeOffset Time, string App, int Number, string Kind, string Level, string Text, IReadOnlyDictionary<string, string> Fields,
    long Lost = 0);
