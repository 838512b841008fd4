namespace Cocaine.Fast.Node.Control.Messages;

/// <summary><c>code</c>: the next bytes of a pack of code. Without bytes it asks for the number of those that are there.</summary>
/// <param name="Name">The SHA-256 of the archive, in hexadecimal.</param>
/// <param name="Size">The bytes of the whole archive.</param>
/// <param name="At">The number of bytes before these.</param>
/// <param name="Data">The bytes, as base64.</param>
internal sealed record CodeRequest(string Name, int Size, int At = 0, string Data = "");
