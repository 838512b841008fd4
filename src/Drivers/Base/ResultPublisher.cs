using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>
/// Where the answers of publishing drivers go: the app's pubsub socket, or nowhere when it has none. All calls come on the app's loop.
/// </summary>
internal abstract class ResultPublisher
{
    /// <summary>The publisher of an app without a pubsub socket.</summary>
    public static ResultPublisher None { get; } = new Nowhere();

    /// <summary>
    /// One chunk of an answer: a JSON object or a MessagePack map is published field by field, anything else as field <c>error</c>. The
    /// bytes are valid during the call only.
    /// </summary>
    public abstract void PublishChunk(string task, ReadOnlySpan<byte> chunk);

    /// <summary>A job that failed, or was refused: field <c>error</c>, with the job's number and when to come again, if known.</summary>
    public abstract void PublishError(string task, int category, int code, string reason, in ErrorHeaders headers);

    private sealed class Nowhere : ResultPublisher
    {
        public override void PublishChunk(string task, ReadOnlySpan<byte> chunk)
        {
        }

        public override void PublishError(string task, int category, int code, string reason, in ErrorHeaders headers)
        {
        }
    }
}
