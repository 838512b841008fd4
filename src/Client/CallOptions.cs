using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;

namespace Cocaine.Fast.Client;

/// <summary>The wishes of a caller for a call. The default has none.</summary>
public readonly record struct CallOptions
{
    /// <summary>
    /// Time after which the answer is worthless: the job then fails with 520, and the call fails here too when the node is silent. More
    /// than 0 and at most 10,000 days; <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> is none.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is not within the range.</exception>
    public TimeSpan? Deadline { get; init => field = Bounded(value, nameof(Deadline)); }

    /// <summary>
    /// Longest silence of the slave while it has the job; then the job fails with 504. The range is that of <see cref="Deadline"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is not within the range.</exception>
    public TimeSpan? Timeout { get; init => field = Bounded(value, nameof(Timeout)); }

    /// <summary>The call goes before calls that are not urgent.</summary>
    public bool Urgent { get; init; }

    /// <summary>How often to run the job again when its slave dies; null = the app's own number.</summary>
    public int? RetryLimit { get; init; }

    /// <summary>
    /// The job may run twice: a node may run it again although it may be running already at another one, and a client of a cluster may send
    /// it to a second node. The worker sees the header <c>idempotent</c>.
    /// </summary>
    public bool Idempotent { get; init; }

    /// <summary>Trace id that is passed to the app; 0 = none.</summary>
    public ulong TraceId { get; init; }

    /// <summary>Span id that goes with the trace id.</summary>
    public ulong SpanId { get; init; }

    /// <summary>The longest time, as in a manifest: sums of a few stay far from overflow.</summary>
    private static readonly TimeSpan MostTime = TimeSpan.FromDays(10_000);

    /// <summary>The most bytes that <see cref="Encode"/> writes.</summary>
    internal const int MaxEncodedBytes = 256;

    /// <summary>The headers array; empty when the call has no options.</summary>
    /// <param name="to">Gets the headers: at most <see cref="MaxEncodedBytes"/>.</param>
    /// <param name="offersFlow">Adds the offer of flow control for each call.</param>
    /// <param name="seal">The value of the header <c>seal</c>, whose bytes come on top; empty when the call is not sealed.</param>
    /// <param name="credential">One more header, encoded already, whose bytes come on top; empty without a token.</param>
    internal int Encode(
        Span<byte> to, bool offersFlow = false, ReadOnlySpan<byte> seal = default, scoped ReadOnlySpan<byte> credential = default)
    {
        int count = 0;
        int at = 1;
        Add(to, ref at, ref count, "request_timeout"u8, Ms(Deadline));
        Add(to, ref at, ref count, "silence_timeout"u8, Ms(Timeout));
        Add(to, ref at, ref count, "urgent"u8, Urgent ? 1UL : null);
        Add(to, ref at, ref count, "retry_limit"u8, RetryLimit is { } limit ? (ulong)Math.Max(0, limit) : null);
        Add(to, ref at, ref count, "idempotent"u8, Idempotent ? 1UL : null);
        Add(to, ref at, ref count, "trace_id"u8, TraceId > 0 ? TraceId : null);
        Add(to, ref at, ref count, "span_id"u8, TraceId > 0 ? SpanId : null);
        Add(to, ref at, ref count, FlowControl.OfferName, offersFlow ? FlowControl.Version : null);
        if (!seal.IsEmpty)
        {
            at += HeaderSet.WriteBytes(to[at..], "seal"u8, seal);
            count++;
        }

        if (!credential.IsEmpty)
        {
            credential.CopyTo(to[at..]);
            at += credential.Length;
            count++;
        }

        to[0] = (byte)(0x90 | count);
        return count == 0 ? 0 : at;
    }

    /// <summary>The wishes that a seal ties to the call.</summary>
    internal SealPolicy SealPolicy => new(
        (long?)Ms(Deadline), (long?)Ms(Timeout), RetryLimit is { } limit ? Math.Max(0, limit) : null, Urgent);

    private static TimeSpan? Bounded(TimeSpan? time, string name)
    {
        if (time is not { } given || given == System.Threading.Timeout.InfiniteTimeSpan)
        {
            return null;
        }

        return given > TimeSpan.Zero && given <= MostTime ? given
            : throw new ArgumentOutOfRangeException(name, given, $"more than 0 and at most {MostTime.TotalDays} days");
    }

    private static ulong? Ms(TimeSpan? time) => time is { } given ? (ulong)Math.Max(1, given.TotalMilliseconds) : null;

    private static void Add(Span<byte> to, ref int at, ref int count, ReadOnlySpan<byte> name, ulong? value)
    {
        if (value is { } number)
        {
            at += HeaderSet.WriteNumber(to[at..], name, number);
            count++;
        }
    }
}

/// <summary>The node or the app answered with an error.</summary>
/// <param name="category">The owner of the code: 1000 is the node.</param>
/// <param name="code">The code, as in docs/protocol.md.</param>
/// <param name="message">The reason.</param>
public sealed class CocaineException(int category, int code, string message) : Exception(message)
{
    /// <summary>The owner of the code: 1000 is the node.</summary>
    public int Category { get; } = category;

    /// <summary>The code, as in docs/protocol.md.</summary>
    public int Code { get; } = code;

    /// <summary>The job's number within its app, by which the node knows it; 0 when the node did not send it.</summary>
    public ulong JobId { get; init; }

    /// <summary>Time until the node expects to have room for the call again; null when there was no lack of room.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The node has not run the job, and never will: it may run elsewhere.</summary>
    internal bool WasRefused { get; init; }
}

/// <summary>The connection is gone, or could not be made; requests under way may or may not have been done.</summary>
public sealed class ConnectionLostException(string message, Exception? inner = null) : IOException(message, inner)
{
    /// <summary>The call was not written to the connection, which had ended before.</summary>
    internal bool WasNeverSent { get; init; }
}

/// <summary>The settings of a client's connection.</summary>
public sealed record ClientOptions
{
    /// <summary>Longest time to connect, the handshake of TLS included, whatever the number of the host's addresses. Default 5 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Run continuations on the connection's thread: saves a hand-over, but a continuation that blocks stops every call of the process.
    /// Default false.
    /// </summary>
    public bool UnsafeInlineContinuations { get; init; }

    /// <summary>
    /// TLS for an endpoint <c>tls://HOST:PORT</c>; null = a client without a certificate, and the authorities of the system. With it, an
    /// endpoint without TLS is a mistake.
    /// </summary>
    public ClientTls? Tls { get; init; }

    /// <summary>Seals every call with RSA keys; null = calls are not sealed.</summary>
    public ClientSeal? Seal { get; init; }

    /// <summary>
    /// The token that proves who calls, as <c>cocaine-fast keys token</c> makes one; null = none. The token goes with each call, in the
    /// header <c>authorization</c>, and only over TLS or a Unix socket: elsewhere everybody on the way could read it.
    /// </summary>
    /// <exception cref="FormatException">It is empty, too long, or has letters that no token has.</exception>
    public string? Token { get; init => field = Credential.Checked(value); }

    /// <summary>The settings as text, without the token.</summary>
    public override string ToString() => $"{nameof(ClientOptions)} {{ ConnectTimeout = {ConnectTimeout}, Tls = {Tls} }}";
}
