namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>Rules that hold all the time: their rows come from observations in all other cases.</summary>
internal static class AlwaysCases
{
    public const string Arity = "exact arity";
    public const string Terminals = "one terminal per channel";
    public const string Handshake = "handshake";
    public const string Start = "Start";
    public const string Messages = "Messages";
}
