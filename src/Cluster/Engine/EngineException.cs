namespace Cocaine.Fast.Cluster.Engine;

/// <summary>The engine cannot be reached or used; the message says it to the user.</summary>
internal sealed class EngineException(string message, Exception cause) : Exception(message, cause);
