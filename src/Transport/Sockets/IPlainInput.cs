namespace Cocaine.Fast.Transport.Sockets;

/// <summary>Takes the plain text of a connection.</summary>
internal interface IPlainInput
{
    /// <summary>Memory for the next bytes, at least one.</summary>
    /// <param name="wantedBytes">About as many bytes come.</param>
    Span<byte> Room(int wantedBytes);

    /// <summary>So many bytes were written to the memory.</summary>
    void Add(int bytes);
}
