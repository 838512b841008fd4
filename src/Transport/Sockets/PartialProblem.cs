using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>The texts and codes for a peer whose unfinished message is not kept.</summary>
internal static class PartialProblem
{
    private static readonly string Stalled = FormattableString.Invariant(
        $"no byte of an unfinished message came for {PartialMessages.UsualStallMs / 1000} s");

    private static readonly string TooManyBytes = FormattableString.Invariant(
        $"unfinished messages of all clients take over {PartialMessages.UsualMaxBytes >> 20} MiB, and this is the largest: send chunks");

    public static string Of(PartialFault fault) => fault == PartialFault.Stalled ? Stalled : TooManyBytes;

    public static int CodeOf(PartialFault fault) => fault == PartialFault.Stalled ? ErrorCodes.BadRequest : ErrorCodes.TooLarge;
}
