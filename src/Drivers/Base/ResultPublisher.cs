using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>
/// Publishes the answers of publishing drivers on the app's pubsub socket, or drops them when the app has none. All calls come on the app's
/// loop.
/// </summary>
internal abstract class ResultPublisher
{
    /// <summary>The publisher of an app without a pubsub socket.</summary>
    public static ResultPublisher None { get; } = new Nowhere();

    /// <summary>
    /// Publishes one chunk of an answer: a JSON object or a MessagePack map field by field, any other chunk as field <c>error</c>. The
    /// bytes are valid during the call only.
    /// </summary>
    public abstract void PublishChunk(string task, ReadOnlySpan<byte> chunk);

    /// <summary>
    /// Publishes the error of a job that failed or was refused as field <c>error</c>, with the job's number and the time to come again, if
    /// known.
    /// </summary>
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
