using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>
/// A message of a worker that is over the limit. The link passes over its bytes. The message fails its own job; the slave and its other
/// jobs go on. SDKs refuse a chunk of this length where it is written, so this is for workers that are built on something else.
/// </summary>
internal static class OverlongAnswer
{
    /// <summary>Fails the job of the message. Returns how the message breaks the protocol, null when the slave goes on.</summary>
    public static string? Take(Slave slave, in OverlongMessage message, ProtocolLimits limits)
    {
        string reason = FormattableString.Invariant(
            $"the worker sent {message.BodyBytes} bytes in one message, which has at most {limits.MaxMessageBytes}: write them in pieces");
        MemorySink instead = new(256);
        if (message.Type == MessageType.Error)
        {
            // The worker has ended its side: the job gets this error in the place of that one.
            MessageWriter.WriteError(instead, message.Channel, ErrorCodes.Category, ErrorCodes.TooLarge, reason);
        }
        else
        {
            if (slave.Channels.TryGet(message.Channel, out Job? job))
            {
                job.Engine.Fail(job, ErrorCodes.TooLarge, reason); // which also tells the worker that nobody wants the rest
            }

            MessageWriter.WriteChunk(instead, message.Channel, default, bin: true); // a sign of life, for a job that has its answer
        }

        ReadOnlySpan<byte> bytes = instead.Written;
        _ = MessageDecoder.Decode(bytes, limits, out MessageLayout layout);
        return slave.OnMessage(new MessageView(in layout, bytes), out string? fault) ? null : fault;
    }
}
