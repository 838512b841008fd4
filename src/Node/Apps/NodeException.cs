namespace Cocaine.Fast.Node.Apps;

/// <summary>The node or an app cannot do what was asked; the message says what and why.</summary>
public sealed class NodeException : Exception
{
    /// <summary>The code of docs/protocol.md that says what kind of failure it is; 500 unless another fits better.</summary>
    public int Code { get; init; } = 500;

    /// <summary>Makes one with a message for people.</summary>
    public NodeException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with its cause.</summary>
    public NodeException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
