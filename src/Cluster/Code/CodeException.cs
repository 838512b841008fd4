namespace Cocaine.Fast.Cluster.Code;

/// <summary>Code cannot be packed or unpacked; the message says it to the user.</summary>
internal sealed class CodeException(string message, Exception? cause = null) : Exception(message, cause);
