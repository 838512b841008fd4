using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Worker;

/// <summary>
/// Every number that bounds something in this SDK, with its reason. The SDKs of all languages have the same names; where their values
/// differ the reason says why.
/// </summary>
/// <remarks>
/// Names of the others that are not here, since the node's own code serves the SDK too: HeartbeatSeconds is
/// <c>EngineSettings.UsualHeartbeatMs</c>; Depth is <c>ProtocolLimits.MaxDepth</c>; ReadBytes is the bound of the transport's connections.
/// ProvenRuns is not here because no handler is trusted to be quick: the loop looks at the clock after each. QuickSeconds is one tick of
/// that clock, a millisecond: answers wait no longer for others. NodeSilenceSeconds is not here because the socket's end tells that the
/// node is gone; a node that is stopped holds no more here than a worker that waits.
/// </remarks>
internal static class Limits
{
    /// <summary>
    /// Answers of a batch that are shown together at most, so that the node starts to send them: a fraction of the usual ring of 1 MiB,
    /// where the scripting languages' 256 KiB would fill a quarter.
    /// </summary>
    public const int BatchBytes = 64 << 10;

    /// <summary>
    /// Streamed requests that handlers have not read. Past it nothing more is taken from the node, which then holds the callers back, until
    /// no more than half of it is left. Several of the longest usual chunks (1 MiB), so that streams side by side do not stop each other;
    /// small beside a worker's memory.
    /// </summary>
    public const int UnreadBytes = 16 << 20;

    /// <summary>Unsent answers from which on handlers that await their writes wait: as much as the usual ring.</summary>
    public const int BehindBytes = 1 << 20;

    /// <summary>Of other threads' chunks that wait for the loop, from which their writers wait: a quarter of the usual ring.</summary>
    public const int PostedBytes = 256 << 10;

    /// <summary>Of such chunks by writers that do not wait: one of the largest size, as for a caller whose slave is slow.</summary>
    public const int MostPostedBytes = 64 << 20;

    /// <summary>A request's buffer that is kept for the next job. A larger one goes, so that one large request does not stay.</summary>
    public const int KeptBufferBytes = 64 << 10;

    /// <summary>
    /// Of an error's text to the caller (the others' FailureTextBytes; .NET's texts are characters): a reason, not a document. The node
    /// cuts at 8 KB.
    /// </summary>
    public const int FailureTextChars = 4096;

    /// <summary>
    /// Of an error's texts and stacks in the log (the others' LogTextBytes). Half of the others': a stack that throws again and again has
    /// said all by then.
    /// </summary>
    public const int LogTextChars = 32 << 10;

    /// <summary>Exceptions within others that are shown with their stacks: enough for wrappers around wrappers.</summary>
    public const int ShownFailures = 10;

    /// <summary>Threads and calls that SIGUSR2 tells of: a worker may have a thousand, and its log keeps the last lines.</summary>
    public const int StackThreads = 64;

    /// <inheritdoc cref="StackThreads"/>
    public const int StackCalls = 64;

    /// <summary>A message: the node's bound for a chunk, 64 MiB, and room for its frame.</summary>
    public static int MessageBytes { get; } = ProtocolLimits.Default.MaxMessageBytes + ProtocolLimits.FramingBytes;
}
