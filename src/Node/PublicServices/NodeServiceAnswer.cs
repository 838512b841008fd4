using Cocaine.Fast.Core.MessagePack;

namespace Cocaine.Fast.Node.PublicServices;

/// <summary>The arguments of answers of the service <c>node</c>, with the old families only: every public client can read them.</summary>
internal static class NodeServiceAnswer
{
    private const byte OneArgument = 0x91;

    /// <summary><c>[]</c>: a command was carried out.</summary>
    public static byte[] Nothing { get; } = [0x90];

    /// <summary><c>[value]</c>, of a value in JSON.</summary>
    public static byte[] Value(string json) => [OneArgument, .. JsonToMsgPack.Convert(json, modern: false)];
}
