namespace Cocaine.Fast.Node.Apps;

/// <summary>The node or an app cannot do what a caller wants; the message gives the reason.</summary>
public sealed class NodeException : Exception
{
    /// <summary>The code of docs/protocol.md for the kind of failure; 500 unless another one fits better.</summary>
    public int Code { get; init; } = 500;

    /// <summary>Makes an exception with a message for people.</summary>
    public NodeException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an exception with its cause.</summary>
    public NodeException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
