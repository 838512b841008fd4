using System.Text;
using Cocaine.Fast.Core.MessagePack;

namespace Cocaine.Fast.Core.Protocol;

/// <summary>
/// The wire of Cocaine 0.11, which this product does not speak: <c>[type, session, arguments]</c>, with the types 0 (handshake) to 6. A
/// connection of it begins with type 0, and here no call has the channel 0. So the first number tells the two apart.
/// </summary>
/// <remarks>Source: the message types of the 0.11 frameworks for Python and Go; the error is <c>[5, session, [code, text]]</c>.</remarks>
internal static class OldDialect
{
    /// <summary>The text for a peer with a message that begins with 0.</summary>
    public const string Problem =
        "channels are numbered from 1: a message that begins with 0 is of Cocaine 0.11, and this node speaks protocol 1 of Cocaine 0.12";

    /// <summary>The text for a peer of this protocol with a message on a channel that no call has.</summary>
    public const string NoChannel = "channels are numbered from 1";

    private const byte ErrorType = 5;

    /// <summary>A message that begins with 0 is of 0.11: it has three parts, and 0.12's have headers as a fourth.</summary>
    public static bool Is(in MessageLayout layout) => layout is { Channel: 0, HeadersLength: 0 };

    /// <summary>Writes the refusal of a message of 0.11, first as 0.11 has errors, then as 0.12 has them. The connection closes.</summary>
    /// <param name="sink">The peer's connection.</param>
    /// <param name="session">The second number of the message.</param>
    public static void WriteRefusal(MessageSink sink, ulong session)
    {
        Span<byte> to = stackalloc byte[256];
        int at = MsgPackEncoder.WriteArrayHead(to, 3);
        to[at++] = ErrorType;
        at += MsgPackEncoder.WriteUnsigned(to[at..], session);
        at += MsgPackEncoder.WriteArrayHead(to[at..], 2);
        at += MsgPackEncoder.WriteSigned(to[at..], ErrorCodes.BadRequest);
        at += MsgPackEncoder.WriteStringHead(to[at..], (uint)Problem.Length, modern: false);
        at += Encoding.ASCII.GetBytes(Problem, to[at..]);
        to[..at].CopyTo(sink.BeginMessage(at));
        sink.EndMessage(at);
        MessageWriter.WriteError(sink, 0, ErrorCodes.Category, ErrorCodes.BadRequest, Problem);
    }
}
