using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Worker;

/// <summary>
/// Every bound of this SDK, with its reason. The SDKs of all languages use the same names; where values differ, the comment gives the
/// reason.
/// </summary>
/// <remarks>
/// Some names of the other SDKs are not here, since the node's own code serves this SDK too: HeartbeatSeconds is
/// <c>EngineSettings.UsualHeartbeatMs</c>; Depth is <c>ProtocolLimits.MaxDepth</c>; ReadBytes is the bound of the transport's connections.
/// ProvenRuns is not here because the SDK trusts no handler to be quick: the loop looks at the clock after each. QuickSeconds is one tick
/// of that clock, a millisecond: answers wait no longer for others. NodeSilenceSeconds is not here because the socket's end shows that the
/// node is gone; a stopped node holds no more here than a waiting worker.
/// </remarks>
internal static class Limits
{
    /// <summary>
    /// The most bytes of a batch's answers that are shown together, so that the node can start to send them. It is a fraction of the usual
    /// ring of 1 MiB; the scripting languages' 256 KiB would fill a quarter of it.
    /// </summary>
    public const int BatchBytes = 64 << 10;

    /// <summary>
    /// The most bytes of streamed requests that handlers have not read, where the node cannot hold a single one. Past it the loop takes no
    /// more from the node, which then holds the callers back, until no more than half of it is left. It is several of the longest usual
    /// chunks (1 MiB), so that parallel streams do not stop each other, and small beside a worker's memory.
    /// </summary>
    public const int UnreadBytes = 16 << 20;

    /// <summary>
    /// Unread bytes of one streamed request from which on the node is asked to hold the rest of it. The number is the node's own, for both
    /// directions.
    /// </summary>
    public const int HoldBytes = FlowControl.HighBytes;

    /// <summary>Unread bytes below which the node is asked to go on.</summary>
    public const int GoOnBytes = FlowControl.LowBytes;

    /// <summary>
    /// The shortest chunk that stays in the ring for a handler that can read it there: copying a shorter one costs no more than to keep
    /// account of it.
    /// </summary>
    public const int LentBytes = 1 << 10;

    /// <summary>
    /// Bytes that a handler writes at most before the loop looks whether the node asks to hold the answer: the node has asked when it has
    /// some times as many unsent, so more looks would see nothing.
    /// </summary>
    public const int LookBytes = 64 << 10;

    /// <summary>
    /// Unsent answers beside a full ring from which on handlers that await their writes wait: a quarter of the usual ring, so that the node
    /// never finds it empty. A caller that holds an answer makes the node keep them too, because they were written before the node asked.
    /// </summary>
    public const int BehindBytes = 256 << 10;

    /// <summary>
    /// Unsent answers of a worker on its socket that count as if they stood in a ring. With them and <see cref="BehindBytes"/>, the
    /// handlers of the worker run as far ahead as the usual ring lets others.
    /// </summary>
    public const int InPlaceOfRingBytes = 768 << 10;

    /// <summary>
    /// The largest block that a socket's sender keeps when all is sent, and its receiver when all is taken: neither answers to a slow node
    /// nor a burst of requests need more.
    /// </summary>
    public const int KeptBytes = 2 << 20;

    /// <summary>Waiting chunks of other threads from which on their writers wait: a quarter of the usual ring.</summary>
    public const int PostedBytes = 256 << 10;

    /// <summary>
    /// The most bytes of such chunks from writers that do not wait: one chunk of the largest size, as for a caller with a slow slave.
    /// </summary>
    public const int MostPostedBytes = 64 << 20;

    /// <summary>
    /// The largest request buffer that stays with its channel for the next job. Larger ones are shared by all channels, 32 MiB of them at
    /// most.
    /// </summary>
    public const int KeptBufferBytes = 64 << 10;

    /// <summary>
    /// The longest error text for the caller (FailureTextBytes in the other SDKs; .NET's texts are characters): a reason, not a document.
    /// The node cuts at 8 KB.
    /// </summary>
    public const int FailureTextChars = 4096;

    /// <summary>
    /// The longest text of an error with its stacks in the log (LogTextBytes in the other SDKs). It is half of theirs, because repeated
    /// stacks say nothing new.
    /// </summary>
    public const int LogTextChars = 32 << 10;

    /// <summary>Inner exceptions that are shown with their stacks: enough for wrappers around wrappers.</summary>
    public const int ShownFailures = 10;

    /// <summary>Threads and calls in a report at SIGUSR2: a worker may have a thousand, and its log keeps the last lines.</summary>
    public const int StackThreads = 64;

    /// <inheritdoc cref="StackThreads"/>
    public const int StackCalls = 64;

    /// <summary>The longest chunk of an answer: the node's bound. A longer one is refused where it is written.</summary>
    public static int ChunkBytes { get; } = ProtocolLimits.Default.MaxMessageBytes;

    /// <summary>The largest message: the node's bound for a chunk, 64 MiB, and room for its frame.</summary>
    public static int MessageBytes { get; } = ProtocolLimits.Default.MaxMessageBytes + ProtocolLimits.FramingBytes;
}
